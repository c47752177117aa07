# Thin names for what CI runs. `just --list --justfile .justfile` shows them.
set shell := ["bash", "-euo", "pipefail", "-c"]

# everything CI checks
ci:
    .ci/run

# the gateway with the mock provider, or with your file: just run -c causeway.toml
run *arguments:
    cargo run --release -- serve {{ arguments }}

# all tests; just test tidy:: runs one group
test *filter:
    cargo test --workspace -- {{ filter }}

# format in place, then lint
lint:
    cargo fmt
    cargo clippy --workspace --all-targets -- -D warnings

# write what adapters now say into their fixtures; read the difference before you commit it
bless:
    CAUSEWAY_BLESS=1 cargo test --workspace --exclude gateway --exclude gateway-tests

# the figures of benches/README.md
bench *filter:
    cargo bench -p gateway-benches -- {{ filter }}

# instructions of single steps, against what is recorded; `just instructions --write` records them
instructions *arguments:
    cargo bench --profile instructions -p gateway-benches --bench instructions -- {{ arguments }}

# beside other gateways: benches/results, docs/performance.md
field *arguments:
    cargo run --release -p gateway-benches --bin field -- --page docs/performance.md {{ arguments }}

# licences, advisories, sources (needs cargo-deny)
deny:
    cargo deny --config .deny.toml check
