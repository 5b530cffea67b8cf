# impomero in a container: foreground, log on standard error, the ledger in the volume /var/lib/impomero.
FROM debian:12 AS build
COPY . /root/impomero
RUN cd /root/impomero && apt-get update -qq && apt-get install -y -qq --no-install-recommends git ca-certificates && tools/package build-deb

FROM debian:12
COPY --from=build /root/impomero/build-deb/impomero_*.deb /root/impomero.deb
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends /root/impomero.deb
USER impomero
ENV STATE_DIRECTORY=/var/lib/impomero
VOLUME /var/lib/impomero
CMD ["impomero", "watch"]
