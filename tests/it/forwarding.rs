//! `pods/portforward`: connections from you through the API server and the kubelet to what listens in a Pod, and
//! what its own programs reach.

use std::time::Duration;

use podflow::testing::api::caller::Credentials;
use podflow::testing::api::port_forward::{Forwarded, Piece};
use podflow::testing::api::request::RequestId;
use podflow::testing::cluster::{Cluster, HttpCall, Setup};
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";
const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A cluster in which a Pod called `p` of these containers has had a minute.
fn cluster(spec: &Value) -> Cluster {
    let mut cluster = Cluster::new(&Setup::new(1, 1));
    cluster.run_for(Duration::from_secs(5));
    create(&mut cluster, PODS, "p", json!({"kind": "Pod", "apiVersion": "v1", "spec": spec}));
    cluster.run_for(Duration::from_mins(1));
    cluster
}

fn of_image(image: &str) -> Cluster {
    cluster(&json!({"containers": [{"name": "c", "image": image}]}))
}

fn create(cluster: &mut Cluster, path: &str, name: &str, mut object: Value) {
    object["metadata"] = json!({"name": name});
    cluster.submit(&HttpCall::new("POST", path, Some(object)));
}

fn call(query: &str, upgrade: Option<&str>) -> HttpCall {
    let path = format!("{PODS}/p/portforward{query}");
    HttpCall { upgrade: upgrade.map(Into::into), ..HttpCall::get(&path) }
}

/// The code, and the words of what is refused.
fn answer(cluster: &mut Cluster, call: &HttpCall) -> (u16, String) {
    let id = cluster.submit(call);
    cluster.run_for(Duration::from_secs(1));
    let reply = cluster.reply(id).expect("an answer");
    let status: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    (reply.code, status["message"].as_str().unwrap_or(&reply.body).to_owned())
}

/// Begins a port forward.
fn begin(cluster: &mut Cluster) -> RequestId {
    let id = cluster.submit(&call("", Some("spdy/3.1")));
    cluster.run_for(Duration::from_secs(1));
    assert_eq!(cluster.reply(id).expect("an answer").code, 101);
    id
}

fn send(cluster: &mut Cluster, id: RequestId, connection: u32, piece: Piece) {
    cluster.forward(id, connection, piece);
    cluster.run_for(Duration::from_millis(100));
}

/// What came in a connection so far; a line end before what ends it.
fn heard(cluster: &Cluster, id: RequestId, connection: u32) -> String {
    let own = cluster.forwarded(id, 0).filter(|it| it.connection == connection);
    let text = |forwarded: &Forwarded| match &forwarded.piece {
        Piece::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Piece::End => "\nEND".to_owned(),
        Piece::Error(why) => format!("\nERROR {why}"),
        Piece::Open(port) => format!("\nOPEN {port}"),
    };
    own.map(text).collect()
}

/// What a server on `port` says to these bytes.
fn ask(cluster: &mut Cluster, port: u16, bytes: &[u8]) -> String {
    let id = begin(cluster);
    send(cluster, id, 1, Piece::Open(port));
    send(cluster, id, 1, Piece::Bytes(bytes.into()));
    let said = heard(cluster, id, 1);
    cluster.hang_up(id);
    said
}

/// The last lines of the log of a container.
fn log(cluster: &mut Cluster, container: &str, lines: usize) -> String {
    let path = format!("{PODS}/p/log?container={container}&tailLines={lines}");
    answer(cluster, &HttpCall::get(&path)).1
}

/// What a command in a container writes, and how it ends.
fn run(cluster: &mut Cluster, container: &str, script: &str) -> String {
    let script: String = script
        .bytes()
        .flat_map(|byte| format!("%{byte:02X}").into_bytes())
        .map(char::from)
        .collect();
    let path = format!(
        "{PODS}/p/exec?container={container}&stdout=true&stderr=true&command=sh&command=-c&command={script}"
    );
    let id =
        cluster.submit(&HttpCall { upgrade: Some("websocket".into()), ..HttpCall::get(&path) });
    cluster.run_for(Duration::from_secs(1));
    let texts = cluster.lines(id, 0).map(|text| match text.strip_prefix('\u{3}') {
        None => text.chars().skip(1).collect(),
        Some(status) => {
            let status: Value = serde_json::from_str(status).unwrap();
            let code = &status["details"]["causes"][0]["message"];
            format!("[{}]", code.as_str().unwrap_or("0"))
        }
    });
    texts.collect()
}

#[test]
fn a_port_is_forwarded_to_what_listens_there() {
    let mut cluster = of_image("nginx:1.27");
    let id = begin(&mut cluster);
    send(&mut cluster, id, 1, Piece::Open(80));
    assert_eq!(heard(&cluster, id, 1), "");
    send(&mut cluster, id, 1, Piece::Bytes(GET.as_bytes()[..20].into()));
    assert_eq!(heard(&cluster, id, 1), "", "half a request has no answer");
    send(&mut cluster, id, 1, Piece::Bytes(GET.as_bytes()[20..].into()));
    let said = heard(&cluster, id, 1);
    let (head, body) = said.split_once("\r\n\r\n").expect("a head");
    insta::assert_snapshot!(head.replace('\r', ""), @r#"
    HTTP/1.1 200 OK
    Server: nginx/1.27.5
    Date: Thu, 01 Jan 2026 00:01:06 GMT
    Content-Type: text/html
    Content-Length: 206
    Last-Modified: Tue, 28 Oct 2025 12:05:10 GMT
    Connection: keep-alive
    ETag: "6900b176-ce"
    Accept-Ranges: bytes
    "#);
    assert!(body.contains("Welcome to nginx") && body.ends_with("</html>\n"), "{body}");
    // The connection stays, and another one is another.
    let other =
        "HEAD /no/such?a=1 HTTP/1.1\r\nHost: h\r\nUser-Agent: t\"\r\nConnection: close\r\n\r\n";
    send(&mut cluster, id, 2, Piece::Open(80));
    send(&mut cluster, id, 2, Piece::Bytes(other.as_bytes().into()));
    let said = heard(&cluster, id, 2);
    assert!(said.starts_with("HTTP/1.1 404 Not Found\r\nServer: nginx/1.27.5\r\n"), "{said}");
    assert!(said.ends_with("Connection: close\r\n\r\n\nEND"), "{said}");
    send(&mut cluster, id, 1, Piece::Bytes(GET.as_bytes().into()));
    assert_eq!(heard(&cluster, id, 1).matches("200 OK").count(), 2);
    send(&mut cluster, id, 1, Piece::End);
    assert!(heard(&cluster, id, 1).ends_with("\nEND"));
    insta::assert_snapshot!(log(&mut cluster, "c", 4), @r#"
    127.0.0.1 - - [01/Jan/2026:00:01:06 +0000] "GET / HTTP/1.1" 200 206 "-" "-" "-"
    2026/01/01 00:01:06 [error] 29#29: *2 open() "/usr/share/nginx/html/no/such" failed (2: No such file or directory), client: 127.0.0.1, server: localhost, request: "HEAD /no/such?a=1 HTTP/1.1", host: "h"
    127.0.0.1 - - [01/Jan/2026:00:01:06 +0000] "HEAD /no/such?a=1 HTTP/1.1" 404 0 "-" "t\x22" "-"
    127.0.0.1 - - [01/Jan/2026:00:01:06 +0000] "GET / HTTP/1.1" 200 206 "-" "-" "-"
    "#);
    assert!(cluster.is_settled());
}

#[test]
fn servers_answer_as_their_programs_do() {
    let mut nginx = of_image("nginx");
    let mut httpd = of_image("httpd");
    let first = |said: String| said.lines().next().unwrap_or_default().to_owned();
    for (request, of_nginx, of_httpd) in [
        ("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK"),
        ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request", "HTTP/1.1 400 Bad Request"),
        ("get / HTTP/1.0\r\n\r\n", "HTTP/1.1 400 Bad Request", "HTTP/1.1 400 Bad Request"),
        (
            "GET / HTTP/2.0\r\n\r\n",
            "HTTP/1.1 505 HTTP Version Not Supported",
            "HTTP/1.1 505 HTTP Version Not Supported",
        ),
        (
            "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 405 Not Allowed",
            "HTTP/1.1 200 OK",
        ),
        (
            "DELETE / HTTP/1.0\r\n\r\n",
            "HTTP/1.1 405 Not Allowed",
            "HTTP/1.1 405 Method Not Allowed",
        ),
        (
            "GET /../etc/passwd HTTP/1.0\r\n\r\n",
            "HTTP/1.1 400 Bad Request",
            "HTTP/1.1 400 Bad Request",
        ),
        ("GET /x/ HTTP/1.0\r\n\r\n", "HTTP/1.1 404 Not Found", "HTTP/1.1 404 Not Found"),
        ("\u{16}\u{3}\u{1}\u{0}", "HTTP/1.1 400 Bad Request", "HTTP/1.1 400 Bad Request"),
    ] {
        assert_eq!(first(ask(&mut nginx, 80, request.as_bytes())), of_nginx, "{request}");
        assert_eq!(first(ask(&mut httpd, 80, request.as_bytes())), of_httpd, "{request}");
    }
    insta::assert_snapshot!(log(&mut nginx, "c", 3), @r#"
    2026/01/01 00:01:14 [error] 29#29: *8 "/usr/share/nginx/html/x/index.html" is not found (2: No such file or directory), client: 127.0.0.1, server: localhost, request: "GET /x/ HTTP/1.0"
    127.0.0.1 - - [01/Jan/2026:00:01:14 +0000] "GET /x/ HTTP/1.0" 404 153 "-" "-" "-"
    127.0.0.1 - - [01/Jan/2026:00:01:15 +0000] "\x16\x03\x01\x00" 400 157 "-" "-" "-"
    "#);
    insta::assert_snapshot!(log(&mut httpd, "c", 3), @r#"
    127.0.0.1 - - [01/Jan/2026:00:01:13 +0000] "GET /../etc/passwd HTTP/1.0" 400 165
    127.0.0.1 - - [01/Jan/2026:00:01:14 +0000] "GET /x/ HTTP/1.0" 404 161
    127.0.0.1 - - [01/Jan/2026:00:01:15 +0000] "\x16\x03\x01\x00" 400 165
    "#);
    let said = ask(&mut httpd, 80, GET.as_bytes());
    insta::assert_snapshot!(said.split("\r\n\r\n").next().unwrap().replace('\r', ""), @r#"
    HTTP/1.1 200 OK
    Date: Thu, 01 Jan 2026 00:01:17 GMT
    Server: Apache/2.4.65 (Unix)
    Last-Modified: Tue, 28 Oct 2025 12:05:10 GMT
    ETag: "6900b176-40"
    Accept-Ranges: bytes
    Content-Length: 64
    Content-Type: text/html
    "#);
}

#[test]
fn no_bytes_upset_a_server() {
    let mut cluster = of_image("nginx");
    let id = begin(&mut cluster);
    let mut seed = 1_u64;
    for connection in 0..60 {
        send(&mut cluster, id, connection, Piece::Open(80));
        for _ in 0..4 {
            let bytes: Vec<u8> = (0..connection * 7)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    // Now and then what a head is made of.
                    b"\r\n: /GETHTP1.\xff\x00"
                        .get((seed.to_be_bytes()[1]) as usize % 40)
                        .copied()
                        .unwrap_or(seed.to_be_bytes()[0])
                })
                .collect();
            cluster.forward(id, connection, Piece::Bytes(bytes.into()));
        }
    }
    cluster.run_for(Duration::from_secs(1));
    let long = "A".repeat(40_000);
    assert!(ask(&mut cluster, 80, long.as_bytes()).starts_with("HTTP/1.1 400"));
    // So much at once is answered with so much, and no more.
    let said = ask(&mut cluster, 80, GET.repeat(20_000).as_bytes());
    assert!(said.ends_with("\nEND") && said.len() < 2 << 20, "{}", said.len());
    assert!(ask(&mut cluster, 80, GET.as_bytes()).starts_with("HTTP/1.1 200"));
}

#[test]
fn where_nobody_listens_the_connection_is_refused() {
    let mut cluster = of_image("redis");
    let id = begin(&mut cluster);
    send(&mut cluster, id, 1, Piece::Open(81));
    let why = heard(&cluster, id, 1);
    let sandbox = why.split("to pod ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let part = |from, to| sandbox.get(from..to).unwrap();
    let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
    let refused = "connect: connection refused";
    let want = format!(
        "\nERROR error forwarding port 81 to pod {sandbox}, uid : failed to execute portforward in network \
         namespace \"/var/run/netns/cni-{}\": failed to connect to localhost:81 inside namespace \
         \"{sandbox}\", IPv4: dial tcp4 127.0.0.1:81: {refused} IPv6 dial tcp6 [::1]:81: {refused} ",
        parts.join("-")
    );
    assert_eq!(why, want);
    // What is not simulated takes what it is sent, and hangs up.
    send(&mut cluster, id, 2, Piece::Open(6379));
    assert_eq!(heard(&cluster, id, 2), "");
    send(&mut cluster, id, 2, Piece::Bytes((*b"PING\r\n").into()));
    assert_eq!(heard(&cluster, id, 2), "\nEND");
    // With its server, a connection ends.
    send(&mut cluster, id, 3, Piece::Open(6379));
    cluster.submit(&HttpCall::new("DELETE", &format!("{PODS}/p?gracePeriodSeconds=1"), None));
    cluster.run_for(Duration::from_secs(10));
    assert_eq!(heard(&cluster, id, 3), "\nEND");
    send(&mut cluster, id, 4, Piece::Open(6379));
    assert!(heard(&cluster, id, 4).ends_with("is closed"), "{}", heard(&cluster, id, 4));
}

#[test]
fn a_web_socket_names_its_ports() {
    let mut cluster = of_image("nginx");
    let id = cluster.submit(&call("?ports=80,81&ports=80", Some("websocket")));
    cluster.run_for(Duration::from_secs(1));
    assert!(heard(&cluster, id, 1).contains("connect: connection refused"));
    send(&mut cluster, id, 2, Piece::Bytes(GET.as_bytes().into()));
    assert!(heard(&cluster, id, 2).starts_with("HTTP/1.1 200 OK"));
    assert!(cluster.log().contains("GET /portForward/default/p?port=80,81,80"));
    for (query, want) in [
        ("", (400, "query parameter \"port\" is required")),
        ("?ports=80,0", (400, "port \"80,0\" must be > 0")),
        (
            "?ports=x",
            (400, "cannot convert to []int32: strconv.ParseUint: parsing \"x\": invalid syntax"),
        ),
        (
            "?ports=65536",
            (
                400,
                "cannot convert to []int32: strconv.ParseUint: parsing \"65536\": value out of range",
            ),
        ),
    ] {
        let got = answer(&mut cluster, &call(query, Some("websocket")));
        assert_eq!((got.0, &*got.1), want, "{query}");
    }
}

#[test]
fn what_cannot_be_forwarded_is_told_why() {
    let mut cluster = cluster(&json!({
        "restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox", "command": ["true"]}],
    }));
    let mut refused = |call: &HttpCall| answer(&mut cluster, call);
    assert_eq!(refused(&call("", None)), (400, "Upgrade request required".to_owned()));
    let over = "pod not found (\"p_default\")".to_owned();
    assert_eq!(refused(&call("", Some("spdy/3.1"))), (500, over));
    let path = format!("{PODS}/q/portforward");
    let gone = HttpCall { path: path.into(), ..call("", Some("spdy/3.1")) };
    assert_eq!(refused(&gone), (404, "pods \"q\" not found".to_owned()));
    let nowhere = json!({"kind": "Pod", "apiVersion": "v1", "spec": {
        "nodeSelector": {"no": "where"}, "containers": [{"name": "c", "image": "nginx"}],
    }});
    create(&mut cluster, PODS, "q", nowhere);
    cluster.run_for(Duration::from_secs(1));
    let want = (400, "pod q does not have a host assigned".to_owned());
    assert_eq!(answer(&mut cluster, &gone), want);
}

#[test]
fn who_only_reads_forwards_no_ports() {
    let mut cluster = of_image("nginx");
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    for (name, verbs) in [("reader", vec!["get"]), ("runner", vec!["get", "create"])] {
        let (group, version) = ("rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1");
        let allowed =
            json!([{"apiGroups": [""], "resources": ["pods/portforward"], "verbs": verbs}]);
        let role = json!({"kind": "Role", "apiVersion": version, "rules": allowed});
        create(&mut cluster, &format!("{roles}/roles"), name, role);
        let binding = json!({
            "kind": "RoleBinding", "apiVersion": version,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": name}],
        });
        create(&mut cluster, &format!("{roles}/rolebindings"), name, binding);
    }
    cluster.run_for(Duration::from_secs(1));
    let mut by = |name: &str| {
        let who = Credentials::of_headers(Some("Bearer admin"), Some(name), []);
        let call = HttpCall { credentials: Some(who.into()), ..call("", Some("spdy/3.1")) };
        answer(&mut cluster, &call)
    };
    assert_eq!(by("reader"), (403, "pods \"p\" is forbidden: ".to_owned()));
    assert_eq!(by("runner").0, 101);
    assert_eq!(by("nobody").0, 403);
}

#[test]
fn programs_reach_what_listens_in_their_pod() {
    let mut cluster = cluster(&json!({"containers": [
        {"name": "web", "image": "nginx"},
        {"name": "side", "image": "busybox", "command": ["sh", "-c", "sleep 30; wget -qO- localhost | grep -c nginx; sleep 999"]},
        {"name": "host", "image": "registry.k8s.io/e2e-test-images/agnhost:2.53", "args": ["netexec", "--http-port=8080"]},
        {"name": "node", "image": "node", "command": ["sleep", "999"]},
    ]}));
    assert_eq!(log(&mut cluster, "side", 9), "3\n");
    for (container, script, want) in [
        ("side", "wget -qO- http://localhost:8080/hostname", "p[0]"),
        (
            "web",
            "curl -s localhost:8080/hostname; echo; curl -s -o /dev/null -w %{http_code} 127.0.0.1",
            "p\n200[0]",
        ),
        ("web", "echo changed > /usr/share/nginx/html/index.html; curl localhost", "changed\n[0]"),
        (
            "side",
            "wget localhost && cat index.html",
            "Connecting to localhost (127.0.0.1:80)\nsaving to 'index.html'\n'index.html' saved\nchanged\n[0]",
        ),
        ("side", "X=$(wget -qO- localhost) && echo $X | tr a-z A-Z", "CHANGED\n[0]"),
        (
            "side",
            "wget -qO- localhost:81",
            "wget: can't connect to remote host (127.0.0.1): Connection refused\n[1]",
        ),
        (
            "side",
            "wget -q localhost/none",
            "wget: server returned error: HTTP/1.1 404 Not Found\n[1]",
        ),
        ("side", "wget -q elsewhere", "wget: bad address 'elsewhere'\n[1]"),
        ("side", "curl localhost", "sh: curl: not found\n[127]"),
        (
            "web",
            "curl localhost:81",
            "curl: (7) Failed to connect to localhost port 81 after 0 ms: Could not connect to server\n[7]",
        ),
        ("web", "curl -s localhost:81", "[7]"),
        ("web", "curl -sf localhost/none; echo $?", "22\n[0]"),
        ("web", "curl elsewhere", "curl: (6) Could not resolve host: elsewhere\n[6]"),
        ("web", "wget localhost", "sh: 1: wget: not found\n[127]"),
        ("node", "wget -qO- localhost:81", "[4]"),
    ] {
        assert_eq!(run(&mut cluster, container, script), want, "{container}: {script}");
    }
    assert!(log(&mut cluster, "web", 9).contains("\"GET / HTTP/1.1\" 200 8 \"-\" \"Wget\" \"-\""));
    // Who asks without end gets no further than time does.
    let script = "while true; do wget -qO- localhost; done";
    let got = run(&mut cluster, "side", script);
    assert!(got.starts_with("changed\nchanged\n") && got.len() < 100_000, "{}", got.len());
}
