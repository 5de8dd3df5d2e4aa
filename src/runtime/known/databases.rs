//! Databases and caches.

use std::rc::Rc;

use super::{Known, error, output, pause};
use crate::runtime::catalogue::{Needs, Program, Userland};
use crate::runtime::cri::Stream;
use crate::runtime::program::printed;
use crate::runtime::routine::{Action, Ports, Routine};
use crate::runtime::signal::Signal;

/// Their rows of the table.
pub(super) fn databases() -> Vec<Known> {
    vec![redis(), postgres(), mysql(), mongo(), memcached()]
}

/// A program behind a `docker-entrypoint.sh` that adds nothing.
fn behind_entrypoint(
    server: &'static str,
    routine: Routine,
    first: Vec<Action>,
    needs: Option<Needs>,
) -> Vec<(&'static str, Program)> {
    vec![
        (server, Program::Routine(Rc::new(routine))),
        ("docker-entrypoint.sh", Program::Entrypoint { server, first, needs }),
    ]
}

fn redis() -> Known {
    const CHILD: &str = "1:C %d %b %Y %H:%M:%S.%3f ";
    const MAIN: &str = "1:M %d %b %Y %H:%M:%S.%3f ";
    let routine = Routine {
        actions: vec![
            pause(40),
            output(CHILD, "* oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo"),
            output(
                CHILD,
                "* Redis version=8.2.2, bits=64, commit=00000000, modified=1, pid=1, \
                           just started",
            ),
            output(
                CHILD,
                "# Warning: no config file specified, using the default config. In \
                           order to specify a config file use redis-server /path/to/redis.conf",
            ),
            output(MAIN, "* monotonic clock: POSIX clock_gettime"),
            output(MAIN, "* Running mode=standalone, port=6379."),
            output(MAIN, "* Server initialized"),
            output(MAIN, "* Ready to accept connections tcp"),
            Action::Serve,
        ],
        handlers: vec![(
            Signal::Term,
            vec![
                output("1:signal-handler (%s) ", "Received SIGTERM scheduling shutdown..."),
                pause(90),
                output(MAIN, "* User requested shutdown..."),
                output(MAIN, "* Saving the final RDB snapshot before exiting."),
                output(MAIN, "* DB saved on disk"),
                output(MAIN, "# Redis is now ready to exit, bye bye..."),
                Action::Exit(0),
            ],
        )],
        ports: Ports::These(vec![6379]),
    };
    Known {
        entrypoint: &["docker-entrypoint.sh"],
        cmd: &["redis-server"],
        working_dir: "/data",
        programs: behind_entrypoint("redis-server", routine, Vec::new(), None),
        ..Known::new(&["docker.io/library/redis"], 52_500, 7, Userland::Debian)
    }
}

fn postgres() -> Known {
    const LOG: &str = "%Y-%m-%d %H:%M:%S.%3f UTC [1] LOG:  ";
    let routine = Routine {
        actions: vec![
            pause(2_400),
            output("", "PostgreSQL init process complete; ready for start up."),
            output("", ""),
            error(
                LOG,
                "starting PostgreSQL 18.1 (Debian 18.1-1.pgdg13+2) on \
                        x86_64-pc-linux-gnu, compiled by gcc (Debian 14.2.0-19) 14.2.0, 64-bit",
            ),
            error(LOG, "listening on IPv4 address \"0.0.0.0\", port 5432"),
            error(LOG, "listening on IPv6 address \"::\", port 5432"),
            error(LOG, "listening on Unix socket \"/var/run/postgresql/.s.PGSQL.5432\""),
            pause(60),
            error(LOG, "database system is ready to accept connections"),
            Action::Serve,
        ],
        handlers: [
            (Signal::Int, "received fast shutdown request"),
            (Signal::Term, "received smart shutdown request"),
        ]
        .map(|(signal, line)| {
            let actions = vec![
                error(LOG, line),
                pause(120),
                error(LOG, "shutting down"),
                error(LOG, "database system is shut down"),
                Action::Exit(0),
            ];
            (signal, actions)
        })
        .to_vec(),
        ports: Ports::These(vec![5432]),
    };
    let without = printed(Stream::Stderr, POSTGRES_WITHOUT.lines().map(str::to_owned), 1);
    let needs = Needs {
        variables: &["POSTGRES_PASSWORD", "POSTGRES_HOST_AUTH_METHOD", "POSTGRES_PASSWORD_FILE"],
        without: Rc::new(without),
    };
    Known {
        entrypoint: &["docker-entrypoint.sh"],
        cmd: &["postgres"],
        stop_signal: Signal::Int,
        programs: behind_entrypoint("postgres", routine, Vec::new(), Some(needs)),
        ..Known::new(&["docker.io/library/postgres"], 161_000, 14, Userland::Debian)
    }
}

fn mysql() -> Known {
    const NOTE: &str = "%Y-%m-%d %H:%M:%S+00:00 [Note] [Entrypoint]: ";
    const SYSTEM: &str = "%Y-%m-%dT%H:%M:%S.%6fZ 0 [System] ";
    let first = vec![
        pause(300),
        output(NOTE, "Entrypoint script for MySQL Server 9.5.0-1.el9 started."),
        output(NOTE, "Initializing database files"),
        pause(6_000),
        output(NOTE, "Database files initialized"),
        pause(3_000),
        output(NOTE, "MySQL init process done. Ready for start up."),
    ];
    let routine = Routine {
        actions: vec![
            error(SYSTEM, "[MY-015015] [Server] MySQL Server - start."),
            error(
                SYSTEM,
                "[MY-010116] [Server] /usr/sbin/mysqld (mysqld 9.5.0) starting as \
                           process 1",
            ),
            pause(900),
            error(
                SYSTEM,
                "[MY-010931] [Server] /usr/sbin/mysqld: ready for connections. \
                           Version: '9.5.0'  socket: '/var/run/mysqld/mysqld.sock'  port: 3306  \
                           MySQL Community Server - GPL.",
            ),
            Action::Serve,
        ],
        handlers: vec![(
            Signal::Term,
            vec![
                error(
                    SYSTEM,
                    "[MY-013172] [Server] Received SHUTDOWN from user <via user \
                               signal>. Shutting down mysqld (Version: 9.5.0).",
                ),
                pause(1_100),
                error(
                    SYSTEM,
                    "[MY-010910] [Server] /usr/sbin/mysqld: Shutdown complete (mysqld \
                               9.5.0)  MySQL Community Server - GPL.",
                ),
                Action::Exit(0),
            ],
        )],
        ports: Ports::These(vec![3306]),
    };
    let error_stamp = "%Y-%m-%d %H:%M:%S+00:00 [ERROR] [Entrypoint]: ";
    let without = Routine {
        actions: vec![
            output(NOTE, "Entrypoint script for MySQL Server 9.5.0-1.el9 started."),
            error(error_stamp, "Database is uninitialized and password option is not specified"),
            error("", "    You need to specify one of the following as an environment variable:"),
            error("", "    - MYSQL_ROOT_PASSWORD"),
            error("", "    - MYSQL_ALLOW_EMPTY_PASSWORD"),
            error("", "    - MYSQL_RANDOM_ROOT_PASSWORD"),
            Action::Exit(1),
        ],
        ..Routine::exit(1)
    };
    let needs = Needs {
        variables: &[
            "MYSQL_ROOT_PASSWORD",
            "MYSQL_ALLOW_EMPTY_PASSWORD",
            "MYSQL_RANDOM_ROOT_PASSWORD",
            "MYSQL_ROOT_PASSWORD_FILE",
        ],
        without: Rc::new(without),
    };
    Known {
        entrypoint: &["docker-entrypoint.sh"],
        cmd: &["mysqld"],
        programs: behind_entrypoint("mysqld", routine, first, Some(needs)),
        ..Known::new(&["docker.io/library/mysql"], 270_000, 10, Userland::Debian)
    }
}

fn mongo() -> Known {
    const START: &str = "{\"t\":{\"$date\":\"%Y-%m-%dT%H:%M:%S.%3f+00:00\"},\"s\":\"I\",  ";
    let routine = Routine {
        actions: vec![
            pause(500),
            output(
                START,
                "\"c\":\"CONTROL\",  \"id\":4615611, \"ctx\":\"initandlisten\",\
                           \"msg\":\"MongoDB starting\",\"attr\":{\"pid\":1,\"port\":27017}}",
            ),
            pause(900),
            output(
                START,
                "\"c\":\"NETWORK\",  \"id\":23016,   \"ctx\":\"listener\",\
                           \"msg\":\"Waiting for connections\",\
                           \"attr\":{\"port\":27017,\"ssl\":\"off\"}}",
            ),
            Action::Serve,
        ],
        handlers: vec![(
            Signal::Term,
            vec![
                output(
                    START,
                    "\"c\":\"CONTROL\",  \"id\":23377,   \
                               \"ctx\":\"SignalHandler\",\"msg\":\"Received signal\",\
                               \"attr\":{\"signal\":15,\"error\":\"Terminated\"}}",
                ),
                pause(300),
                Action::Exit(0),
            ],
        )],
        ports: Ports::These(vec![27017]),
    };
    Known {
        entrypoint: &["docker-entrypoint.sh"],
        cmd: &["mongod"],
        programs: behind_entrypoint("mongod", routine, Vec::new(), None),
        ..Known::new(&["docker.io/library/mongo"], 291_000, 8, Userland::Debian)
    }
}

fn memcached() -> Known {
    let routine = Routine {
        actions: vec![Action::Serve],
        handlers: vec![(
            Signal::Term,
            vec![output("", "Signal handled: Terminated."), pause(20), Action::Exit(0)],
        )],
        ports: Ports::These(vec![11211]),
    };
    Known {
        entrypoint: &["docker-entrypoint.sh"],
        cmd: &["memcached"],
        user: "memcache",
        programs: behind_entrypoint("memcached", routine, Vec::new(), None),
        ..Known::new(&["docker.io/library/memcached"], 31_000, 6, Userland::Debian)
    }
}

const POSTGRES_WITHOUT: &str = "\
Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, \"-e POSTGRES_PASSWORD=password\" on \"docker run\".

       You may also use \"POSTGRES_HOST_AUTH_METHOD=trust\" to allow all
       connections without a password. This is *not* recommended.

       See PostgreSQL documentation about \"trust\":
       https://www.postgresql.org/docs/current/auth-trust.html
";
