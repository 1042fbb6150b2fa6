//! Generates the gRPC code from `proto/`, with a compiler written in Rust: no `protoc` is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let mut files = protox::compile(["node.proto", "cluster.proto"], ["proto"])?;
    // `src/bulk.rs` speaks these two: generated code would copy their bytes into buffers of its own.
    for service in files.file.iter_mut().flat_map(|file| &mut file.service) {
        service.method.retain(|method| !matches!(method.name(), "Put" | "Get"));
    }
    tonic_prost_build::configure().bytes(".").compile_fds(files)?;
    Ok(())
}
