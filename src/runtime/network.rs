//! What is behind the ports of a node's pods, if anything is: servers that answer, and who asks them.
//!
//! It is there only where somebody has wanted it ([`Runtime::connect`]). Nobody can reach a port of the page, and
//! the code of all that would be a burden to those who load it; its programs fail as they do where no name has an
//! address.

use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use super::calls::Answer;
use super::catalogue::{Catalogue, Program};
use super::cri::{CallId, Id};
use super::routine::Ports;
use super::service::Runtime;
use super::shell::{self, Io};
use super::web::{APACHE_PAGE, NGINX_PAGE, Web};
use crate::api::port_forward::Forwarded;
use crate::sim::Instant;

/// The network of a node; by itself there is nothing.
pub trait Network: Debug {
    /// Begins to forward ports; the answer if there is nothing to connect to.
    fn port_forward(
        &self,
        _runtime: &mut Runtime,
        _at: Instant,
        _call: (CallId, Id),
        _ports: &str,
    ) -> Option<Answer> {
        None
    }

    /// Somebody goes on with a connection, or with a new one.
    fn forward(&self, _runtime: &mut Runtime, _at: Instant, _call: CallId, _piece: &Forwarded) {}

    /// Nobody hears a call any more.
    fn cancel(&self, _runtime: &mut Runtime, _call: CallId) {}

    /// Nothing runs in a container any more.
    fn disconnect(&self, _runtime: &mut Runtime, _at: Instant, _container: &Id) {}

    /// Answers what the programs of a container ask of their pod, whose address is `ip`. They want to go on at `wake`,
    /// or now sooner.
    fn fetch(
        &self,
        _runtime: &mut Runtime,
        _at: Instant,
        _of: (&Id, Ipv4Addr),
        wake: Option<Instant>,
    ) -> Option<Instant> {
        wake
    }

    /// Runs a command that asks something.
    fn run(&self, name: &str, arguments: &[String], io: &mut Io<'_>) -> i32 {
        shell::unreachable(name, arguments, io)
    }
}

/// Where a network may be.
#[derive(Clone, Copy, Debug)]
pub struct Wire(pub &'static dyn Network);

impl Default for Wire {
    fn default() -> Self {
        Self(&Nothing)
    }
}

impl PartialEq for Wire {
    /// Which one it is never changes what a runtime has seen.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// None.
#[derive(Debug)]
struct Nothing;

impl Network for Nothing {}

/// So long it takes until what listens in a pod has answered one of its programs.
const FETCH: Duration = Duration::from_micros(500);

/// That of pods whose servers are simulated.
#[derive(Debug)]
struct Pods;

/// What an image has beside what the catalogue says.
struct Served {
    /// What its name begins with; the first row that fits is meant.
    image: &'static str,
    /// What listens on the port of its program.
    web: Option<Web>,
    /// What that shows.
    files: &'static [(&'static str, &'static str)],
    /// Commands that ask others.
    tools: &'static [&'static str],
}

/// What listens in the well-known images, and what asks. Where it depends on a command line, as with agnhost, it is
/// the program that says it.
const SERVED: &[Served] = &[
    Served { image: "docker.io/library/nginx:", web: Some(Web::Nginx), files: NGINX, tools: &[] },
    Served { image: "docker.io/library/nginx", web: Some(Web::Nginx), files: NGINX, tools: CURL },
    Served { image: "docker.io/nginxinc/", web: Some(Web::Nginx), files: NGINX, tools: CURL },
    Served { image: "docker.io/library/httpd", web: Some(Web::Apache), files: APACHE, tools: &[] },
    Served { image: "docker.io/library/node", web: None, files: &[], tools: BOTH },
    Served { image: "docker.io/library/python", web: None, files: &[], tools: BOTH },
    Served { image: "docker.io/library/golang", web: None, files: &[], tools: BOTH },
    Served { image: "docker.io/library/perl", web: None, files: &[], tools: BOTH },
    Served { image: "registry.k8s.io/e2e-test-images/agnhost", web: None, files: &[], tools: CURL },
];
const NGINX: &[(&str, &str)] = &[("/usr/share/nginx/html/index.html", NGINX_PAGE)];
const APACHE: &[(&str, &str)] = &[("/usr/local/apache2/htdocs/index.html", APACHE_PAGE)];
const CURL: &[&str] = &["curl"];
const BOTH: &[&str] = &["curl", "wget"];

impl Runtime {
    /// From now on servers answer on all these nodes, which have one catalogue and no image yet, and who asks reaches
    /// them.
    pub fn connect<'a>(runtimes: impl Iterator<Item = &'a mut Self>) {
        let mut catalogue = None;
        for runtime in runtimes {
            let served = catalogue.get_or_insert_with(|| Rc::new(served(&runtime.catalogue)));
            runtime.catalogue = Rc::clone(served);
            runtime.network = Wire(&Pods);
        }
    }
}

/// The images, with what listens in them.
fn served(catalogue: &Catalogue) -> Catalogue {
    let mut catalogue = catalogue.clone();
    for (name, entry) in catalogue.images.iter_mut() {
        let Some(served) = SERVED.iter().find(|row| name.starts_with(row.image)) else { continue };
        let entry = Rc::make_mut(entry);
        (entry.files, entry.tools) = (served.files, served.tools);
        for program in entry.programs.values_mut() {
            if let (Program::Routine(routine), Some(web)) = (program, served.web)
                && let Ports::These(ports) = &routine.ports
                && let [port] = **ports
            {
                Rc::make_mut(routine).ports = Ports::Web(port, web);
            }
        }
    }
    catalogue
}

impl Network for Pods {
    fn port_forward(
        &self,
        runtime: &mut Runtime,
        at: Instant,
        (call, sandbox): (CallId, Id),
        ports: &str,
    ) -> Option<Answer> {
        runtime.port_forward(at, call, sandbox, ports)
    }

    fn forward(&self, runtime: &mut Runtime, at: Instant, call: CallId, piece: &Forwarded) {
        runtime.forward(at, call, piece.connection, &piece.piece);
    }

    fn cancel(&self, runtime: &mut Runtime, call: CallId) {
        Rc::make_mut(&mut runtime.forwards).retain(|forward| forward.call != call);
    }

    fn disconnect(&self, runtime: &mut Runtime, at: Instant, container: &Id) {
        runtime.disconnect(at, container);
    }

    fn fetch(
        &self,
        runtime: &mut Runtime,
        at: Instant,
        of: (&Id, Ipv4Addr),
        wake: Option<Instant>,
    ) -> Option<Instant> {
        // An answer takes its time, so that who asks without end gets no further than time does.
        let soon = runtime.fetch(at, of).then(|| at + FETCH);
        soon.into_iter().chain(wake).min()
    }

    fn run(&self, name: &str, arguments: &[String], io: &mut Io<'_>) -> i32 {
        shell::fetched(name, arguments, io)
    }
}
