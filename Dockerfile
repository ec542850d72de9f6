# One file on a base that has Node and nothing else. Any base will do whose entry point is Node 24 or newer.
ARG BASE=gcr.io/distroless/nodejs24-debian12:nonroot
FROM ${BASE}
COPY --chmod=0444 dist/portcullis.js dist/LICENSES.txt /app/
USER 65532:65532
EXPOSE 10250 8081
CMD ["/app/portcullis.js", "serve"]
