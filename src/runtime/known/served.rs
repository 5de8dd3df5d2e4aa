//! What is behind the ports of the well-known images: servers that answer, and programs that ask them.

use std::rc::Rc;

use crate::runtime::catalogue::{ImageEntry, Program};
use crate::runtime::routine::Ports;
use crate::runtime::web::{APACHE_PAGE, NGINX_PAGE, Web};
use crate::sim::SortedMap;

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

/// Adds to the `images` what listens in them, and what asks.
pub fn serve(images: &mut SortedMap<String, Rc<ImageEntry>>) {
    for (name, entry) in images.iter_mut() {
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
}
