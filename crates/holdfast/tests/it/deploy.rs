//! What `deploy/` gives to the program is what the program takes. (Its shape is checked by xtask's tests.)

use std::{fs, net::TcpListener, path::Path, process::Command};

use yaml_rust2::{Yaml, YamlLoader};

use crate::harness::{Shape, World};

/// The folder that the containers keep data in.
const DATA: &str = "/var/lib/holdfast/data";

fn read(name: &str) -> String {
    // Cargo runs tests in the folder of their package.
    fs::read_to_string(Path::new("../../deploy").join(name)).expect("a file of deploy/")
}

fn yaml(name: &str) -> Yaml {
    YamlLoader::load_from_str(&read(name)).expect("YAML").remove(0)
}

/// A value of a service, its own or merged in with `<<`.
fn of<'a>(service: &'a Yaml, key: &str) -> &'a Yaml {
    match (&service[key], &service["<<"]) {
        (Yaml::BadValue, Yaml::BadValue) => &Yaml::BadValue,
        (Yaml::BadValue, shared) => of(shared, key),
        (own, _) => own,
    }
}

fn words(list: &Yaml) -> Vec<&str> {
    list.as_vec().into_iter().flatten().map(|word| word.as_str().expect("text")).collect()
}

/// Text with Compose's variables filled in.
fn filled(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some((before, rest)) = text.split_once("${") {
        let (variable, after) = rest.split_once('}').expect("a variable ends");
        let value = variable.split_once(":-").map_or("filled0in0for0the0test", |(_, default)| default);
        text = format!("{before}{value}{after}");
    }
    text
}

/// Runs the program as a container would, but has it print its configuration instead of serving.
fn configured(command: &[&str], file: Option<&Path>) -> toml::Table {
    assert_eq!(command.first(), Some(&"serve"), "{command:?}");
    let arguments = command[1..].iter().map(|word| match (*word, file) {
        ("/etc/holdfast.toml", Some(file)) => file.display().to_string(),
        (word, _) => word.to_owned(),
    });
    let mut program = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    let output = program.arg("config").args(arguments).output().expect("the binary runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").parse().expect("the configuration is shown as TOML")
}

fn port(address: &str) -> &str {
    address.rsplit_once(':').expect("a port").1
}

#[test]
fn every_service_starts_with_a_configuration_that_is_accepted() {
    let compose = yaml("compose.yaml");
    let dir = tempfile::tempdir().expect("a folder");
    let mut seen = 0;
    for (name, service) in compose["services"].as_hash().expect("services") {
        if of(service, "image").as_str() != Some("holdfast") {
            continue;
        }
        seen += 1;
        let name = name.as_str().expect("a name");
        let config = &of(service, "configs")[0];
        let source = config["source"].as_str().expect("a source");
        let content = compose["configs"][source]["content"].as_str().expect("content");
        let file = dir.path().join(source);
        fs::write(&file, filled(content)).expect("the file can be written");
        assert_eq!(config["target"].as_str(), Some("/etc/holdfast.toml"), "{name}");
        let shown = configured(&words(of(service, "command")), Some(&file));

        let mounted = words(of(service, "volumes"));
        assert!(mounted.iter().any(|volume| volume.ends_with(&format!(":{DATA}"))), "{name}: {mounted:?}");
        assert_eq!(shown["data_dir"].as_str(), Some(DATA), "{name}");
        let role = name.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit());
        assert_eq!(shown["roles"].as_array().expect("a list"), &[role.into()], "{name}");
        assert_eq!(shown["cluster_secret"].as_str(), Some("[secret]"), "{name}");

        // The health check asks where the process listens, and not only from outside.
        let listen = if role == "node" { shown["node"]["listen"].as_str() } else { shown["listen"].as_str() };
        let listen = listen.expect("an address");
        assert!(listen.starts_with("0.0.0.0:"), "{name}: {listen}");
        let check = words(&of(service, "healthcheck")["test"]).join(" ");
        assert!(
            check.contains(&format!("127.0.0.1:{}/", port(listen)))
                || check.contains(&format!("127.0.0.1/{}", port(listen))),
            "{name} listens on {listen}, and its check is {check}"
        );
    }
    assert_eq!(seen, 9);
}

#[test]
fn the_container_starts_by_itself() {
    let file = read("Containerfile");
    let list = |key: &str| -> Vec<String> {
        let line = file.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_else(|| panic!("no {key}"));
        serde_json::from_str(line).expect("a list")
    };
    assert_eq!(list("ENTRYPOINT "), ["holdfast"]);
    let command = list("CMD ");
    let shown = configured(&command.iter().map(String::as_str).collect::<Vec<_>>(), None);
    assert_eq!(shown["data_dir"].as_str(), Some(DATA));
    let listen = shown["listen"].as_str().expect("an address");
    assert!(file.contains(&format!("\nEXPOSE {}\n", port(listen))), "{listen}");
    assert_eq!(shown["roles"].as_array().map(Vec::len), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_checks_tell_well_from_ill() {
    let compose = yaml("compose.yaml");
    let mut world = World::start(Shape::Single, "").await;
    let address = world.gateways[0].url.trim_start_matches("http://").to_owned();
    let check = words(&of(&compose["services"]["gateway-1"], "healthcheck")["test"]);
    assert_eq!(check[..3], ["CMD", "holdfast", "healthcheck"]);
    let url = check[3].replace("127.0.0.1:8080", &address);
    let asks = || Command::new(env!("CARGO_BIN_EXE_holdfast")).args(["healthcheck", &url]).output().expect("it runs");
    assert!(asks().status.success(), "{:?}", asks());
    let path = yaml("traefik.yaml")["http"]["services"]["gateways"]["loadBalancer"]["healthCheck"]["path"].clone();
    let ready = reqwest::get(format!("http://{address}{}", path.as_str().expect("a path"))).await.expect("an answer");
    assert_eq!(ready.status(), 200);
    world.gateways[0].terminate();
    assert!(!asks().status.success());

    let check = words(&of(&compose["services"]["node-1"], "healthcheck")["test"]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port().to_string();
    assert_eq!(check[..3], ["CMD", "bash", "-c"]);
    let script = check[3].replace("7001", &port);
    let connects = || Command::new("bash").args(["-c", &script]).output().expect("bash runs").status.success();
    assert!(connects());
    drop(listener);
    assert!(!connects());
}

#[test]
fn the_published_port_is_the_proxys() {
    let compose = yaml("compose.yaml");
    let traefik = &compose["services"]["traefik"];
    let published = filled(words(&traefik["ports"])[0]);
    let inside = published.rsplit(':').next().expect("a port");
    assert!(
        words(&traefik["command"]).contains(&format!("--entryPoints.web.address=:{inside}").as_str()),
        "{published}"
    );
    assert_eq!(published.split(':').next(), Some("8080"));
    let routing =
        words(&traefik["command"]).into_iter().find_map(|word| word.strip_prefix("--providers.file.filename="));
    let config = &traefik["configs"][0];
    assert_eq!((config["target"].as_str(), config["source"].as_str()), (routing, Some("traefik")));
    assert_eq!(compose["configs"]["traefik"]["file"].as_str(), Some("./traefik.yaml"));
}
