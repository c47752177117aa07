# syntax=docker/dockerfile:1
# docker build -t causeway . && docker run -p 8080:8080 -v ./causeway.toml:/etc/causeway/causeway.toml:ro causeway

# Toolchain: rust-toolchain.toml asks for "stable"; here it is this one.
FROM rust:1.95-bookworm AS toolchain
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN rustup target add wasm32-unknown-unknown
WORKDIR /source

# The adapters, to WASM components, in the folder the gateway's build looks in.
FROM toolchain AS plugins
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo run --locked -p plugin-sdk --features build --example component -- plugins/*/

# The gateway, with the adapters inside.
FROM plugins AS gateway
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    cargo build --locked --release -p gateway \
    && mkdir -p /empty

# No shell, no package manager, no root.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=gateway /source/target/release/causeway /usr/local/bin/causeway
COPY --from=gateway --chown=nonroot:nonroot /empty /var/lib/causeway
# Inside a container the loopback of the host is not ours; the admin listener stays on it.
ENV CAUSEWAY__SERVER__LISTEN='["0.0.0.0:8080"]'
EXPOSE 8080
VOLUME /var/lib/causeway
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/causeway"]
CMD ["serve"]
