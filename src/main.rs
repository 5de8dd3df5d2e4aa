//! Mounts the page.

fn main() {
    podflow::mount();
}
