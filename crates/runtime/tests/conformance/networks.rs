//! Tasks of one VPC reach each other by private address; containers of one task by loopback.

use neargate_testkit::needs::needs;
use std::path::Path;
use std::time::Duration;

use neargate_runtime::EventKind;

use crate::embedded::EmbeddedHost;
use crate::host::Host;

const PYTHON: &str = "/usr/bin/python3";

const SERVE: &str = "import socket\n\
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n\
    s.bind(('0.0.0.0', 8080)); s.listen(); print('ready', flush=True)\n\
    c, peer = s.accept(); print('peer', peer[0], flush=True); c.sendall(b'hello'); c.close()";

fn ask(address: &str) -> String {
    format!("import socket\nprint(socket.create_connection(('{address}', 8080), 10).recv(9).decode(), flush=True)")
}

/// The peers are written in Python, which the containers take from the host.
pub(crate) fn missing_python() -> Option<String> {
    (!Path::new(PYTHON).exists()).then(|| format!("there is no `{PYTHON}`"))
}

fn python(host: &EmbeddedHost, name: &str, code: &str) -> neargate_runtime::ContainerSpec {
    host.program(name, [PYTHON, "-c", code].map(str::to_owned).to_vec())
}

fn lines_until_exits(host: &EmbeddedHost, exits: usize) -> Vec<String> {
    let (mut lines, mut seen) = (Vec::new(), 0);
    host.wait(|kind| {
        match kind {
            EventKind::Output { lines: new, .. } => {
                lines.extend(new.iter().map(|line| String::from_utf8_lossy(line.bytes).into_owned()));
            }
            EventKind::ContainerExited { .. } => seen += 1,
            _ => {}
        }
        (seen == exits).then_some(())
    });
    lines
}

#[needs(containers, python)]
fn tasks_of_a_vpc_reach_each_other_by_private_address() {
    let host = EmbeddedHost::new();
    let server = host.task(vec![python(&host, "server", SERVE)]);
    host.backend().start(&server).unwrap();
    host.wait(|kind| matches!(kind, EventKind::Output { .. }).then_some(()));
    let client = host.task(vec![python(&host, "client", &ask(&server.network.private_ip.to_string()))]);
    host.backend().start(&client).unwrap();
    let mut lines = lines_until_exits(&host, 2);
    lines.sort();
    // The server sees the client's own address.
    assert_eq!(lines, ["hello".to_owned(), format!("peer {}", client.network.private_ip)]);
    host.remove(&server);
    host.remove(&client);
}

#[needs(containers, python)]
fn subnets_of_a_vpc_are_routed_and_other_vpcs_are_not() {
    let host = EmbeddedHost::new();
    let server = host.task(vec![python(&host, "server", SERVE)]);
    host.backend().start(&server).unwrap();
    host.wait(|kind| matches!(kind, EventKind::Output { .. }).then_some(()));
    let code = ask(&server.network.private_ip.to_string()).replace(", 10)", ", 1)");
    let mut stranger = host.task(vec![python(&host, "stranger", &code)]);
    stranger.network.vpc_id = "vpc-other".to_owned();
    host.backend().start(&stranger).unwrap();
    assert_eq!(host.wait_exit("stranger"), 1);
    let mut neighbour = host.task(vec![python(&host, "neighbour", &code)]);
    neighbour.network.subnet_cidr = "10.0.2.0/24".parse().unwrap();
    neighbour.network.private_ip = "10.0.2.5".parse().unwrap();
    host.backend().start(&neighbour).unwrap();
    let lines = lines_until_exits(&host, 2);
    assert!(lines.contains(&"hello".to_owned()), "{lines:?}");
    [server, stranger, neighbour].iter().for_each(|task| host.remove(task));
}

#[needs(containers, python)]
fn the_engine_reaches_tasks_and_is_reached_by_them_without_the_hosts_network() {
    let host = EmbeddedHost::new();
    let cidr = "10.0.0.0/16".parse().unwrap();
    host.backend().keep_network("vpc-test", cidr).unwrap();
    host.backend().keep_network("vpc-test", cidr).unwrap();
    let listener = host.backend().listen_tcp("vpc-test", "169.254.170.2:8080".parse().unwrap()).unwrap();
    let resolver = host.backend().bind_udp("vpc-test", "10.0.0.2:53".parse().unwrap()).unwrap();
    let datagram = "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'who', ('10.0.0.2', 53))";
    let task = host.task(vec![
        python(&host, "server", SERVE),
        python(&host, "client", &ask("169.254.170.2")),
        python(&host, "asks", datagram),
    ]);
    host.backend().start(&task).unwrap();
    let (mut connection, peer) = listener.accept().unwrap();
    std::io::Write::write_all(&mut connection, b"metadata").unwrap();
    drop(connection);
    let mut buffer = [0; 8];
    let (len, asker) = resolver.recv_from(&mut buffer).unwrap();
    assert_eq!(
        (peer.ip(), asker.ip(), &buffer[..len]),
        (task.network.private_ip.into(), task.network.private_ip.into(), b"who".as_slice())
    );

    let server = std::net::SocketAddrV4::new(task.network.private_ip, 8080);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    let mut connection = loop {
        match host.backend().connect_tcp("vpc-test", server, Duration::from_secs(5)) {
            Ok(connection) => break connection,
            Err(e) => assert!(std::time::Instant::now() < deadline, "{e}"),
        }
    };
    let mut text = String::new();
    std::io::Read::read_to_string(&mut connection, &mut text).unwrap();
    assert_eq!(text, "hello");
    let lines = lines_until_exits(&host, 3);
    assert!(lines.contains(&"peer 10.0.1.1".to_owned()) && lines.contains(&"metadata".to_owned()), "{lines:?}");
    host.remove(&task);

    // Kept without tasks, until it is let go of.
    host.backend().listen_tcp("vpc-test", "10.0.0.2:80".parse().unwrap()).unwrap();
    host.backend().remove_network("vpc-test").unwrap();
    let error = host.backend().listen_tcp("vpc-test", "10.0.0.2:80".parse().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "no network for `vpc-test` in this runtime");
}

#[needs(containers, python)]
fn containers_of_a_task_share_loopback_and_files_about_the_network() {
    let host = EmbeddedHost::new();
    let wait = "import socket, time\nfor _ in range(500):\n  try:\n    c = socket.create_connection(('localhost', 8080), 5); break\n  except OSError: time.sleep(0.01)\nprint(c.recv(9).decode(), flush=True)";
    let files = host.script("files", "cat /etc/hosts /etc/hostname /etc/resolv.conf; ls /sys/class/net");
    let task = host.task(vec![python(&host, "server", SERVE), python(&host, "client", wait), files]);
    host.backend().start(&task).unwrap();
    let mut lines = lines_until_exits(&host, 3);
    lines.sort();
    let address = task.network.private_ip;
    let name = &task.network.hostname;
    let mut expected = vec![
        "127.0.0.1 localhost".to_owned(),
        "::1 localhost".to_owned(),
        format!("{address} {name}"),
        name.clone(),
        "search eu-west-1.compute.internal".to_owned(),
        "nameserver 10.0.0.2".to_owned(),
        "eth1".to_owned(),
        "lo".to_owned(),
        "hello".to_owned(),
        "peer 127.0.0.1".to_owned(),
        "ready".to_owned(),
    ];
    expected.sort();
    assert_eq!(lines, expected);
    host.remove(&task);
}
