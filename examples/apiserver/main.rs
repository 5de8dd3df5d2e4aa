//! The engine behind real HTTP, for `kubectl` and any other client:
//!
//! ```text
//! cargo run --release --example apiserver -- --port 8080 --secure-port 6443 --nodes 3 --gear 1
//! kubectl --kubeconfig podflow.kubeconfig get nodes
//! ```
//!
//! One thread holds the cluster and moves its time as the wall clock goes, `--gear` times as fast; HTTP
//! comes in on others and is handed over. Both doors are on loopback only.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod arguments;
mod engine;
mod forward;
mod http;
mod openapi;
mod protobuf;
mod schemas;
mod spdy;
mod tls;
mod websocket;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use arguments::Arguments;
use engine::Engine;
use tokio::net::TcpListener;

/// The engine makes many small objects, which this allocator finds room for sooner than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            println!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("{why}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::start(arguments.seed, arguments.nodes, arguments.gear)?;
    let identity = tls::Identity::new()?;
    let insecure = listen(arguments.port).await?;
    let secure = listen(arguments.secure_port).await?;
    tls::write_kubeconfig(&arguments.kubeconfig, &identity, secure.local_addr()?)?;
    println!("http://{}", insecure.local_addr()?);
    println!("https://{}", secure.local_addr()?);
    println!("kubectl --kubeconfig {} get nodes", arguments.kubeconfig.display());
    tokio::try_join!(
        http::serve(insecure, None, engine.clone()),
        http::serve(secure, Some(identity.acceptor()?), engine),
    )?;
    Ok(())
}

async fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}
