# Pushcart in a container: what `make build` builds, and nothing else. For shows that are transcoded it takes
# ffmpeg, too, which is forty times as large: that is another target.
#
#   docker build -t pushcart .          (or: make docker)
#   docker build -t pushcart:ffmpeg --target with-ffmpeg .
#   docker run -p 1935:1935 -p 8080:8080 -e PUSHCART_AUTH_SECRET="$(openssl rand -hex 32)" pushcart
#
# A container sees all hosts as strangers, so it needs a secret or keys before anybody can publish. Its
# working directory is /data: mount a volume there, writable for user 65532, for pushcart.yml, ACME's
# certificates, and pushcart-data: the cues of shows, and which shows are on. The operators'
# listener stays inside; to reach it, set PUSHCART_ADMIN_LISTEN=:8081 and publish the port to the host's own
# address only: -p 127.0.0.1:8081:8081.

FROM golang:1.26-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends nodejs npm \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# What changes seldom comes first, and is kept between builds.
COPY go.mod go.sum ./
RUN go mod download
COPY Makefile ./
COPY web/package.json web/package-lock.json web/
RUN make web/node_modules/.package-lock.json
COPY . .
RUN make build && mkdir -p /data

FROM debian:bookworm-slim AS with-ffmpeg
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates ffmpeg \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build --chown=65532:65532 /data /data
COPY --from=build /src/bin/pushcart /pushcart
USER 65532:65532
WORKDIR /data
EXPOSE 1935 1936 8080 8443 8554
HEALTHCHECK --interval=15s --timeout=5s --start-period=5s CMD ["/pushcart", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/pushcart"]

FROM scratch
# Authorities that ACME's directory is trusted by.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chown=65532:65532 /data /data
COPY --from=build /src/bin/pushcart /pushcart
USER 65532:65532
WORKDIR /data
EXPOSE 1935 1936 8080 8443 8554
HEALTHCHECK --interval=15s --timeout=5s --start-period=5s CMD ["/pushcart", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/pushcart"]
