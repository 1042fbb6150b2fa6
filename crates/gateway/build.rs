//! Says when the web client has to be embedded anew.

fn main() {
    println!("cargo::rerun-if-changed=../../web/dist");
}
