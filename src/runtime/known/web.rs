//! Web servers.

use std::rc::Rc;

use super::{CURL, Known, error, output, pause};
use crate::runtime::catalogue::{Program, Userland};
use crate::runtime::routine::{Action, Ports, Routine};
use crate::runtime::signal::Signal;
use crate::runtime::web::{APACHE_PAGE, NGINX_PAGE, Web};

/// Their rows of the table.
pub(super) fn web_servers() -> Vec<Known> {
    let nginx = nginx();
    let silent = Routine {
        actions: vec![Action::Serve],
        handlers: [Signal::Term, Signal::Quit, Signal::Int]
            .map(|signal| (signal, vec![pause(30), Action::Exit(0)]))
            .to_vec(),
        ports: Ports::Web(80, Web::Nginx),
    };
    let unprivileged = Routine { ports: Ports::Web(8080, Web::Nginx), ..nginx.clone() };
    let with_entrypoint = |server: Routine| {
        vec![
            ("nginx", Program::Routine(Rc::new(server))),
            (
                "docker-entrypoint.sh",
                Program::Entrypoint { server: "nginx", first: nginx_entrypoint(), needs: None },
            ),
        ]
    };
    let nginx_row = |names, kilobytes, programs| Known {
        entrypoint: &["/docker-entrypoint.sh"],
        cmd: &["nginx", "-g", "daemon off;"],
        stop_signal: Signal::Quit,
        directories: &["/usr/share/nginx/html", "/etc/nginx/conf.d", "/var/log/nginx"],
        files: &[("/usr/share/nginx/html/index.html", NGINX_PAGE)],
        tools: CURL,
        programs,
        ..Known::new(names, kilobytes, 7, Userland::Debian)
    };
    vec![
        nginx_row(&["docker.io/library/nginx"], 72_300, with_entrypoint(nginx)),
        Known {
            user: "101",
            ..nginx_row(
                &["docker.io/nginxinc/nginx-unprivileged"],
                72_400,
                with_entrypoint(unprivileged),
            )
        },
        // Releases before 1.17 came without the entry point's chatter, and logged warnings only.
        Known {
            entrypoint: &[],
            stop_signal: Signal::Term,
            layers: 3,
            tools: &[],
            ..nginx_row(
                &[
                    "docker.io/library/nginx:1.14.2",
                    "docker.io/library/nginx:1.14",
                    "docker.io/library/nginx:1.16.1",
                    "docker.io/library/nginx:1.16",
                    "docker.io/library/nginx:1.15",
                    "docker.io/library/nginx:1.7.9",
                ],
                44_700,
                vec![("nginx", Program::Routine(Rc::new(silent)))],
            )
        },
        Known {
            cmd: &["httpd-foreground"],
            stop_signal: Signal::Winch,
            working_dir: "/usr/local/apache2",
            directories: &["/usr/local/apache2/htdocs"],
            files: &[("/usr/local/apache2/htdocs/index.html", APACHE_PAGE)],
            programs: vec![("httpd-foreground", Program::Routine(Rc::new(httpd())))],
            ..Known::new(&["docker.io/library/httpd"], 60_200, 6, Userland::Debian)
        },
    ]
}

const NGINX: &str = "%Y/%m/%d %H:%M:%S ";

fn nginx_entrypoint() -> Vec<Action> {
    let lines = [
        "/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform \
         configuration",
        "/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/",
        "/docker-entrypoint.sh: Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh",
        "10-listen-on-ipv6-by-default.sh: info: Getting the checksum of \
         /etc/nginx/conf.d/default.conf",
        "10-listen-on-ipv6-by-default.sh: info: Enabled listen on IPv6 in \
         /etc/nginx/conf.d/default.conf",
        "/docker-entrypoint.sh: Sourcing /docker-entrypoint.d/15-local-resolvers.envsh",
        "/docker-entrypoint.sh: Launching /docker-entrypoint.d/20-envsubst-on-templates.sh",
        "/docker-entrypoint.sh: Launching /docker-entrypoint.d/30-tune-worker-processes.sh",
        "/docker-entrypoint.sh: Configuration complete; ready for start up",
    ];
    let mut actions = vec![pause(60)];
    actions.extend(lines.map(|line| output("", line)));
    actions.push(pause(40));
    actions
}

fn nginx() -> Routine {
    let start = [
        "[notice] 1#1: using the \"epoll\" event method",
        "[notice] 1#1: nginx/1.29.3",
        "[notice] 1#1: built by gcc 14.2.0 (Debian 14.2.0-19) ",
        "[notice] 1#1: OS: Linux 6.12.0",
        "[notice] 1#1: getrlimit(RLIMIT_NOFILE): 1048576:1048576",
        "[notice] 1#1: start worker processes",
        "[notice] 1#1: start worker process 29",
        "[notice] 1#1: start worker process 30",
    ];
    let graceful = [
        "[notice] 1#1: signal 3 (SIGQUIT) received, shutting down",
        "[notice] 29#29: gracefully shutting down",
        "[notice] 30#30: gracefully shutting down",
        "[notice] 29#29: exiting",
        "[notice] 30#30: exiting",
        "[notice] 29#29: exit",
        "[notice] 30#30: exit",
        "[notice] 1#1: signal 17 (SIGCHLD) received from 29",
        "[notice] 1#1: worker process 29 exited with code 0",
        "[notice] 1#1: worker process 30 exited with code 0",
        "[notice] 1#1: exit",
    ];
    let fast = [
        "[notice] 1#1: signal 15 (SIGTERM) received, exiting",
        "[notice] 29#29: exiting",
        "[notice] 30#30: exiting",
        "[notice] 1#1: signal 17 (SIGCHLD) received from 29",
        "[notice] 1#1: worker process 29 exited with code 0",
        "[notice] 1#1: worker process 30 exited with code 0",
        "[notice] 1#1: exit",
    ];
    let end = |lines: &[&'static str]| {
        let mut actions = vec![pause(30)];
        actions.extend(lines.iter().map(|line| error(NGINX, line)));
        actions.push(Action::Exit(0));
        actions
    };
    let mut actions: Vec<Action> = start.map(|line| error(NGINX, line)).to_vec();
    actions.push(Action::Serve);
    Routine {
        actions,
        handlers: vec![(Signal::Quit, end(&graceful)), (Signal::Term, end(&fast))],
        ports: Ports::Web(80, Web::Nginx),
    }
}

fn httpd() -> Routine {
    const APACHE: &str = "[%a %b %d %H:%M:%S.%6f %Y] ";
    Routine {
        actions: vec![
            pause(150),
            error(
                "",
                "AH00558: httpd: Could not reliably determine the server's fully qualified \
                       domain name, using {ip}. Set the 'ServerName' directive globally to \
                       suppress this message",
            ),
            error(
                APACHE,
                "[mpm_event:notice] [pid 1:tid 1] AH00489: Apache/2.4.65 (Unix) \
                           configured -- resuming normal operations",
            ),
            error(
                APACHE,
                "[core:notice] [pid 1:tid 1] AH00094: Command line: \
                           'httpd -D FOREGROUND'",
            ),
            Action::Serve,
        ],
        handlers: vec![
            (
                Signal::Winch,
                vec![
                    error(
                        APACHE,
                        "[mpm_event:notice] [pid 1:tid 1] AH00492: caught SIGWINCH, \
                                   shutting down gracefully",
                    ),
                    pause(60),
                    Action::Exit(0),
                ],
            ),
            (
                Signal::Term,
                vec![
                    error(
                        APACHE,
                        "[mpm_event:notice] [pid 1:tid 1] AH00491: caught SIGTERM, \
                                   shutting down",
                    ),
                    pause(60),
                    Action::Exit(0),
                ],
            ),
        ],
        ports: Ports::Web(80, Web::Apache),
    }
}
