# Redis with the quotelock module. docs/how-to/image.md tells how to run it; `make image` builds it, as does
#   docker build -t quotelock .
# On Valkey instead: docker build --build-arg SERVER_IMAGE=valkey/valkey:8.1-bookworm -t quotelock .
# Any Debian 12 (or newer) image of Redis 7.0 or newer, or of Valkey, will do; an Alpine one has another C library.
# The images are named by digest, so that each build starts from the same bytes; digests of official images are listed at
# https://github.com/docker-library/repo-info, which is where these two are from.
ARG RUST_IMAGE=rust:1.97.1-bookworm@sha256:593db038d36ea0d2e5b22a2e095eb95dbec607d88d658c2f35f65ee880b4f93a
ARG SERVER_IMAGE=redis:8.2.9-bookworm@sha256:66b7f4c2f3c6ef1b298bbd7b13c806bc6f71e61f1136a4f58710daf2cb053b21

FROM ${RUST_IMAGE} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libclang-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /quotelock
COPY . .
# The image's own Rust: `stable` in rust-toolchain.toml would be downloaded.
RUN RUSTUP_TOOLCHAIN="${RUST_VERSION:-stable}" cargo build --release --locked

FROM ${SERVER_IMAGE}
# Where the sources are, and the commit: `make image` knows them.
ARG SOURCE=
ARG REVISION=
LABEL org.opencontainers.image.title="quotelock" \
      org.opencontainers.image.description="Redis or Valkey with the quotelock module: price locks, and tables of vehicle prices" \
      org.opencontainers.image.version="0.2.0" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}"
# The layout of the checkout, so that redis.conf finds the library and the data as it does there.
WORKDIR /quotelock
COPY redis.conf LICENSE-MIT LICENSE-APACHE ./
COPY --from=build /quotelock/target/release/libquotelock.so target/release/
# Both names of the server, whichever image this is; and the data for the user below, who can write nothing else here
# (so CONFIG REWRITE is refused: mount a redis.conf of your own, or pass settings as below). Any other user that
# `--user` names is in group 0, which may write the data too.
RUN for tool in server cli; do \
        command -v redis-$tool || ln -s "$(command -v valkey-$tool)" /usr/local/bin/redis-$tool || exit 1; \
    done \
    && install -d -o 999 -g 0 -m 770 data
# The user redis or valkey of these images, by number: the name differs.
USER 999:999
VOLUME /quotelock/data
EXPOSE 6379

# redis.conf lets in this machine only, which in a container is the container alone. So it listens on all addresses here,
# and whoever reaches the port can use it: publish it on loopback, or set a password or ACL users.
# What follows the image's name on `docker run` is added, as: --quotelock.lock-ttl-ms 600000
ENTRYPOINT ["redis-server", "redis.conf", "--bind", "*", "-::*", "--protected-mode", "no"]
# SIGTERM saves and ends the server; the image's own signal might be another.
STOPSIGNAL SIGTERM

# Asks the module, not only the server. With a password it needs REDISCLI_AUTH. A server that still loads its data is not unhealthy
# yet: for that it has ten minutes.
HEALTHCHECK --interval=10s --timeout=3s --start-period=600s \
    CMD ["redis-cli", "-e", "QUOTELOCK.GET", "healthcheck"]
