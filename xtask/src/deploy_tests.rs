//! What can be checked of `deploy/` without a container engine.

use std::collections::BTreeSet;

use yaml_rust2::{Yaml, YamlLoader};

const COMPOSE: &str = include_str!("../../deploy/compose.yaml");
const CONTAINERFILE: &str = include_str!("../../deploy/Containerfile");
const TRAEFIK: &str = include_str!("../../deploy/traefik.yaml");
const ENV_EXAMPLE: &str = include_str!("../../deploy/.env.example");

fn parse(text: &str) -> Yaml {
    YamlLoader::load_from_str(text).expect("YAML").remove(0)
}

/// A value of a service, its own or merged in from the shared blocks with `<<`.
fn of<'a>(service: &'a Yaml, key: &str) -> &'a Yaml {
    match (&service[key], &service["<<"]) {
        (Yaml::BadValue, Yaml::BadValue) => &Yaml::BadValue,
        (Yaml::BadValue, shared) => of(shared, key),
        (own, _) => own,
    }
}

fn names(yaml: &Yaml) -> Vec<&str> {
    yaml.as_hash().expect("a mapping").keys().filter_map(Yaml::as_str).collect()
}

fn text(yaml: &Yaml) -> &str {
    yaml.as_str().expect("text")
}

fn items(yaml: &Yaml) -> impl Iterator<Item = &Yaml> {
    yaml.as_vec().into_iter().flatten()
}

/// The configuration files of the services that run Holdfast, with what Compose puts in filled in.
fn server_configs() -> Vec<(String, toml::Table)> {
    let compose = parse(COMPOSE);
    let services = compose["services"].as_hash().expect("services");
    services
        .iter()
        .filter(|(_, service)| of(service, "image").as_str() == Some("holdfast"))
        .map(|(name, service)| {
            let source = text(&of(service, "configs")[0]["source"]);
            let mut content = text(&compose["configs"][source]["content"]).to_owned();
            while let Some((before, rest)) = content.split_once("${") {
                let (_, after) = rest.split_once('}').expect("a variable ends");
                content = format!("{before}filled0in0{after}");
            }
            (text(name).to_owned(), content.parse().unwrap_or_else(|error| panic!("{source}: {error}")))
        })
        .collect()
}

#[test]
fn compose_has_the_shape_of_a_cluster() {
    let compose = parse(COMPOSE);
    let mut expected = vec!["traefik", "postgres", "gateway-1", "gateway-2", "worker"];
    expected.extend(["node-1", "node-2", "node-3", "node-4", "node-5", "node-6"]);
    assert_eq!(names(&compose["services"]), expected);
    for (name, service) in compose["services"].as_hash().expect("services") {
        let name = text(name);
        assert!(items(&of(service, "healthcheck")["test"]).count() > 1, "{name} has no health check");
        assert_eq!(of(service, "restart").as_str(), Some("unless-stopped"), "{name}");
        let ports = items(of(service, "ports")).count();
        assert_eq!(ports, usize::from(name == "traefik"), "{name}: only Traefik is reached from outside");
    }
}

#[test]
fn everything_that_compose_names_is_declared_and_used() {
    let compose = parse(COMPOSE);
    let (mut configs, mut volumes, mut secrets) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for service in compose["services"].as_hash().expect("services").values() {
        configs.extend(items(of(service, "configs")).map(|config| text(&config["source"])));
        secrets.extend(items(of(service, "secrets")).map(text));
        for volume in items(of(service, "volumes")) {
            let (name, _) = text(volume).split_once(':').expect("a volume and its place");
            assert!(volumes.insert(name), "two services share the volume {name}");
        }
        for other in of(service, "depends_on").as_hash().into_iter().flat_map(|others| others.keys()) {
            assert!(names(&compose["services"]).contains(&text(other)));
        }
    }
    assert_eq!(configs, names(&compose["configs"]).into_iter().collect());
    assert_eq!(volumes, names(&compose["volumes"]).into_iter().collect());
    assert_eq!(secrets, names(&compose["secrets"]).into_iter().collect());
}

#[test]
fn no_password_has_a_default_and_each_is_asked_for() {
    let mut asked = BTreeSet::new();
    for variable in COMPOSE.split("${").skip(1) {
        let (variable, _) = variable.split_once('}').expect("a variable ends");
        match variable.split_once(":?") {
            Some((name, message)) => {
                assert!(message.starts_with("set it in .env"), "{message}");
                asked.insert(name);
            }
            None => assert_eq!(variable, "HOLDFAST_PORT:-8080", "only what is no secret has a default"),
        }
    }
    let offered = ENV_EXAMPLE.lines().filter_map(|line| line.strip_suffix('=')).collect();
    assert_eq!(asked, offered, "what compose.yaml asks for is what .env.example lists, empty");
}

#[test]
fn secrets_are_closed_to_others() {
    let compose = parse(COMPOSE);
    for (name, service) in compose["services"].as_hash().expect("services") {
        if of(service, "image").as_str() != Some("holdfast") {
            continue;
        }
        let config = &of(service, "configs")[0];
        assert_eq!(config["mode"].as_i64(), Some(0o400), "{name:?}");
        let uid = text(&config["uid"]);
        assert!(CONTAINERFILE.contains(&format!("--uid {uid} ")), "{name:?} runs as another user");
        assert!(!items(of(service, "environment")).any(|line| text(line).contains("SECRET")), "{name:?}");
    }
    assert!(CONTAINERFILE.contains("\nUSER holdfast\n"));
}

#[test]
fn each_server_has_a_configuration_that_fits_its_role() {
    // The keys of the server's configuration file that are used here.
    let known = ["data_dir", "roles", "listen", "database", "cluster_secret", "files", "gateway", "log", "node"];
    let configs = server_configs();
    assert_eq!(configs.len(), 9);
    for (name, config) in &configs {
        let role = name.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit());
        assert_eq!(config["roles"].as_array().and_then(|roles| roles[0].as_str()), Some(role), "{name}");
        assert!(config.keys().all(|key| known.contains(&key.as_str())), "{name}: {config:?}");
        assert_eq!(config.contains_key("database"), role != "node", "{name}: a node knows no database");
        assert_eq!(config.contains_key("node"), role == "node", "{name}");
        assert_eq!(config["log"]["format"].as_str(), Some("json"), "{name}");
    }
}

#[test]
fn gateways_believe_traefik_and_nobody_else() {
    let compose = parse(COMPOSE);
    let address = text(&compose["services"]["traefik"]["networks"]["default"]["ipv4_address"]);
    let gateways = server_configs().into_iter().filter(|(name, _)| name.starts_with("gateway-"));
    for (name, config) in gateways {
        let trusted = config["gateway"]["trusted_proxies"].as_array().expect("a list");
        assert_eq!(trusted.iter().filter_map(|proxy| proxy.as_str()).collect::<Vec<_>>(), [address], "{name}");
    }
}

#[test]
fn nodes_announce_the_name_and_port_that_others_reach_them_at() {
    let configs = server_configs();
    let address_of = |name: &str, key: &str| {
        let (_, config) = configs.iter().find(|(other, _)| other == name).expect("a service");
        config[key].as_str().expect("an address").rsplit_once(':').expect("a port").1.to_owned()
    };
    let registrars: Vec<String> =
        ["gateway-1", "gateway-2", "worker"].map(|name| format!("http://{name}:{}", address_of(name, "listen"))).into();
    for (name, config) in configs.iter().filter(|(name, _)| name.starts_with("node-")) {
        let node = &config["node"];
        let (_, port) = node["listen"].as_str().and_then(|listen| listen.rsplit_once(':')).expect("a port");
        assert_eq!(node["advertise"].as_str(), Some(format!("http://{name}:{port}").as_str()));
        let join: Vec<_> = node["join"].as_array().expect("a list").iter().filter_map(|url| url.as_str()).collect();
        assert_eq!(join, registrars);
        assert!(COMPOSE.contains(&format!("/dev/tcp/127.0.0.1/{port}")), "the health check asks another port");
    }
}

#[test]
fn traefik_forwards_to_every_gateway() {
    let service = &parse(TRAEFIK)["http"]["services"]["gateways"]["loadBalancer"];
    let servers: Vec<_> = items(&service["servers"]).map(|server| text(&server["url"]).to_owned()).collect();
    assert_eq!(servers, ["http://gateway-1:8080", "http://gateway-2:8080"]);
    assert_eq!(service["healthCheck"]["path"].as_str(), Some("/readyz"));
}
