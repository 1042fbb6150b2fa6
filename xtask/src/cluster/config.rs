//! The ports of a cluster, and the configuration files of its processes.

use std::{fmt::Write as _, path::Path};

use anyhow::{Result, ensure};

use super::member::{Member, Role};

/// How many nodes a cluster has: each of the six parts of a file has one of its own.
const NODES: u16 = 6;

/// Where each process listens, counted from one port.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports(u16);

impl Ports {
    /// The highest port is the base and this.
    const SPAN: u16 = 10 + NODES;

    pub(super) fn from_base(base: u16) -> Result<Self> {
        ensure!(
            (1024..=u16::MAX - Self::SPAN).contains(&base),
            "the base port must be between 1024 and {}",
            u16::MAX - Self::SPAN
        );
        Ok(Self(base))
    }

    pub(super) fn base(self) -> u16 {
        self.0
    }

    pub(super) fn gateways(self) -> [u16; 2] {
        [self.0 + 1, self.0 + 2]
    }

    pub(super) fn worker(self) -> u16 {
        self.0 + 3
    }

    pub(super) fn database(self) -> u16 {
        self.0 + 4
    }

    pub(super) fn nodes(self) -> impl Iterator<Item = u16> {
        (1..=NODES).map(move |index| self.0 + 10 + index)
    }
}

/// The configuration file of one process.
pub(super) fn render(member: &Member, ports: &Ports, database: &str, cluster_secret: &Path) -> String {
    let mut text = format!("# {}, written by `cargo xtask cluster`.\n", member.name);
    let mut line = |key: &str, value: toml::Value| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{key} = {value}");
    };
    let path = |path: &Path| toml::Value::from(path.display().to_string());
    line("data_dir", path(&member.data()));
    line("cluster_secret_file", path(cluster_secret));
    match member.role {
        Role::Database => {}
        Role::Gateway | Role::Worker => {
            let role = if member.role == Role::Gateway { "gateway" } else { "worker" };
            line("roles", vec![role].into());
            line("listen", member.address.to_string().into());
            line("database", database.into());
            line("files.parity", 2.into());
        }
        Role::Node => {
            let registrars = ports.gateways().into_iter().chain([ports.worker()]);
            let join: Vec<_> = registrars.map(|port| format!("http://127.0.0.1:{port}")).collect();
            line("roles", vec!["node"].into());
            line("node.listen", member.address.to_string().into());
            line("node.advertise", format!("http://{}", member.address).into());
            line("node.join", join.into());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_processes_share_a_port() {
        let ports = Ports::from_base(8080).expect("valid");
        let mut all: Vec<u16> = ports.gateways().into_iter().chain(ports.nodes()).collect();
        all.extend([ports.worker(), ports.database()]);
        assert_eq!(all.len(), 10);
        assert_eq!(all.iter().max(), Some(&(8080 + Ports::SPAN)));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 10);
    }

    #[test]
    fn the_base_port_leaves_room_for_all() {
        for base in [0, 80, 1023, u16::MAX - 15, u16::MAX] {
            assert!(Ports::from_base(base).is_err(), "{base}");
        }
        assert_eq!(Ports::from_base(u16::MAX - 16).expect("just fits").nodes().last(), Some(u16::MAX));
    }

    fn rendered(name: &str, role: Role, port: u16) -> toml::Table {
        let member = Member::new(Path::new("/c \"d\""), name.into(), role, port);
        let ports = Ports::from_base(8080).expect("valid");
        render(&member, &ports, "postgres://u:p@127.0.0.1:8084/holdfast", Path::new("/c/secret")).parse().expect("TOML")
    }

    #[test]
    fn a_gateway_knows_the_database_and_a_node_does_not() {
        let gateway = rendered("gateway-1", Role::Gateway, 8081);
        assert_eq!(gateway["data_dir"].as_str(), Some("/c \"d\"/gateway-1"));
        assert_eq!(gateway["roles"].as_array().map(Vec::len), Some(1));
        assert_eq!(gateway["listen"].as_str(), Some("127.0.0.1:8081"));
        assert_eq!(gateway["files"]["parity"].as_integer(), Some(2));
        assert!(gateway["database"].as_str().is_some_and(|url| url.starts_with("postgres://")));
        assert!(!gateway.contains_key("node"));

        let node = rendered("node-2", Role::Node, 8092);
        assert!(!node.contains_key("database") && !node.contains_key("listen"));
        assert_eq!(node["node"]["listen"].as_str(), Some("127.0.0.1:8092"));
        assert_eq!(node["node"]["advertise"].as_str(), Some("http://127.0.0.1:8092"));
        let join: Vec<_> = node["node"]["join"].as_array().expect("a list").iter().filter_map(|v| v.as_str()).collect();
        assert_eq!(join, ["http://127.0.0.1:8081", "http://127.0.0.1:8082", "http://127.0.0.1:8083"]);
    }
}
