# One file on a base that has Node and nothing else. Any base will do whose entry point is Node 24 or newer.
ARG BASE=gcr.io/distroless/nodejs24-debian12:nonroot
FROM ${BASE}
COPY --chmod=0444 dist/portcullis.js dist/LICENSES.txt dist/sbom.cdx.json /app/
# A review leaves little behind: room for more of them would only be memory (docs/benchmarks.md). The largest that can be
# stored, beside its predecessor, needs 250 MB of heap for a moment (bench/giants.ts).
ENV NODE_OPTIONS="--max-semi-space-size=8 --max-old-space-size=360" MALLOC_ARENA_MAX=1
USER 65532:65532
EXPOSE 10250 8081
CMD ["/app/portcullis.js", "serve"]
