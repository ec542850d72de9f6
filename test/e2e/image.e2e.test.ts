/** The image as it is released: built from the Dockerfile, run without any right, asked over TLS, and stopped. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, newAuthority, newCertificate } from '../support/certificate.ts';
import { buildImage, docker, whyNoDocker } from '../support/image.ts';

// The reaper is an image that would have to be pulled; what is started here is removed below.
process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';

const root = join(import.meta.dirname, '..', '..');
const reason = whyNoDocker();
if (reason !== undefined && process.env['CI'] === 'true') throw new Error(`The image must be tested here, and cannot be. ${reason}`);
if (reason !== undefined) console.error(`${'!'.repeat(100)}\nLEFT OUT: the test of the image. ${reason}\n${'!'.repeat(100)}`);

class ReadOnlyContainer extends GenericContainer {
  constructor(image: string) {
    super(image);
    this.hostConfig.ReadonlyRootfs = true;
  }
}

const base = 'portcullis-test-base';
const image = 'portcullis-test';

const review = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: 'b7c9a1f2-0d5e-4a39-8a5d-0f4f3c1d2e6b',
    kind: { group: '', version: 'v1', kind: 'Service' },
    resource: { group: '', version: 'v1', resource: 'services' },
    name: 'web',
    namespace: 'shop',
    operation: 'CREATE',
    userInfo: { username: 'alice', groups: ['system:authenticated'] },
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { type: 'ClusterIP', selector: { app: 'frontned' }, ports: [{ protocol: 'TCP', port: 80, targetPort: 8080 }] },
    },
    oldObject: null,
    dryRun: false,
  },
};

function post(port: number, ca: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: '/validate?timeout=3s',
      method: 'POST',
      ca,
      headers: { 'content-type': 'application/json' },
    };
    const sent = request(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', reject).end(JSON.stringify(review));
  });
}

describe.runIf(reason === undefined)('the image', () => {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-image-'));
  let authority: Authority;
  let container: StartedTestContainer;

  beforeAll(async () => {
    buildImage({ image, base });

    authority = await newAuthority('image-test');
    const { cert, key } = await newCertificate(authority, ['localhost']);
    const tls = join(directory, 'tls');
    mkdirSync(tls);
    writeFileSync(join(tls, 'tls.crt'), cert);
    writeFileSync(join(tls, 'tls.key'), key);
    for (const path of [directory, tls]) chmodSync(path, 0o755);

    container = await new ReadOnlyContainer(image)
      .withBindMounts([
        { source: join(root, 'examples'), target: '/examples', mode: 'ro' },
        { source: tls, target: '/tls', mode: 'ro' },
      ])
      .withDroppedCapabilities('ALL')
      .withSecurityOpt('no-new-privileges')
      .withExposedPorts(10250, 8081)
      .withCommand([
        '/app/portcullis.js',
        'serve',
        '--cluster=/examples/cluster',
        '--config=/examples/portcullis.yaml',
        '--tls-cert=/tls/tls.crt',
        '--tls-key=/tls/tls.key',
      ])
      .withWaitStrategy(Wait.forHttp('/readyz', 8081))
      .withStartupTimeout(60_000)
      .start();
  });

  afterAll(async () => {
    if (container !== undefined) docker('rm', '--force', container.getId());
    docker('image', 'rm', '--force', image, base);
    rmSync(directory, { recursive: true, force: true });
  });

  it('runs as nobody, without any right', () => {
    const [inspected] = JSON.parse(docker('inspect', container.getId())) as {
      Config: { User: string };
      HostConfig: { ReadonlyRootfs: boolean };
    }[];
    expect(inspected).toMatchObject({ Config: { User: '65532:65532' }, HostConfig: { ReadonlyRootfs: true, CapDrop: ['ALL'] } });
  });

  it('adds little to its base', () => {
    const size = (name: string): number => Number(docker('image', 'inspect', '--format', '{{.Size}}', name));
    const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
    console.log(`image ${megabytes(size(image))} MB, of which Node and its libraries ${megabytes(size(base))} MB`);
    expect(size(image) - size(base)).toBeLessThan(10e6);
  });

  it('is at most 65 MB on the way', { timeout: 120_000 }, () => {
    const compressed = (name: string): number => {
      const file = join(directory, 'image.tar');
      docker('save', '--output', file, name);
      const bytes = gzipSync(readFileSync(file)).length;
      rmSync(file);
      return bytes;
    };
    const [whole, node] = [compressed(image), compressed(base)];
    console.log(`compressed ${(whole / 1e6).toFixed(1)} MB, of which Node and its libraries ${(node / 1e6).toFixed(1)} MB`);
    expect(whole).toBeLessThan(65e6);
  });

  it('answers a review over TLS', async () => {
    const { status, body } = await post(container.getMappedPort(10250), authority.cert);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({
      response: { uid: review.request.uid, allowed: false, status: { code: 422, reason: 'Invalid' } },
    });
  });

  it('ends by itself, with 0, when it is stopped', async () => {
    const { container: containers } = await getContainerRuntimeClient();
    await container.stop({ remove: false, timeout: 30_000 });
    const { State } = await containers.inspect(containers.getById(container.getId()));
    expect(State).toMatchObject({ ExitCode: 0, OOMKilled: false });
  });
});
