/** A file that runs a command, and the text in it that does. */
interface Runner {
  readonly file: string;
  readonly by: string;
}

/** The commands of the pages that take an installation, an image, a cluster or minutes, and what runs them. */
export const RUN_ELSEWHERE: Readonly<Record<string, Runner>> = {
  'npm ci && npm start': { file: 'test/start.smoke-spec.ts', by: "npm(['start'], {})" },
  'npm ci && npm test': { file: '.ci/run', by: 'npm test -- ' },
  'npm run check': { file: '.ci/run', by: '\nnpm run check\n' },
  'npm run smoke': { file: '.ci/run', by: '\nnpm run smoke -- ' },
  'npm run jest -- test/retry.e2e-spec.ts': { file: '.ci/run', by: '\nnpm test -- ' },
  "npm run jest -- test/retry.e2e-spec.ts -t 'Retry-After'": { file: '.ci/run', by: '\nnpm test -- ' },
  'npm run demo': { file: 'test/start.smoke-spec.ts', by: "npm(['run', 'demo', " },
  'npm run demo:cluster': { file: 'test/demo-cluster.e2e-spec.ts', by: 'demo/cluster.mjs' },
  'npm run backup -- /var/backups/orchestrator.db': { file: 'test/backup.e2e-spec.ts', by: '/^npm run backup -- ' },
  'REGISTRY_URL=http://registry:8000 PUBLIC_URL=http://this-host:8001 npm start': {
    ...{ file: 'test/start.smoke-spec.ts', by: "npm(['start'], { REGISTRY_URL: " },
  },
  'docker build -t orchestrator .': { file: 'test/image.smoke-spec.ts', by: 'each step of its Dockerfile carried out' },
  'docker run --rm -p 8001:8001 -v orchestrator-data:/var/lib/fpai orchestrator': {
    ...{ file: 'test/image.smoke-spec.ts', by: 'serves a first task, as a user that is not root' },
  },
  'docker compose up': { file: 'test/docker.e2e-spec.ts', by: "'compose.yaml'" },
  'docker compose -f compose.cluster.yaml up': { file: 'test/deploy.e2e-spec.ts', by: "'compose.cluster.yaml'" },
  'kubectl apply -k deploy/kubernetes': { file: 'test/deploy.e2e-spec.ts', by: 'kustomization.yaml' },
};

/** Pages whose blocks a spec of their own runs. */
export const PAGES_RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  'docs/client.md': 'test/command-line-docs.e2e-spec.ts',
  'docs/command-line.md': 'test/command-line-docs.e2e-spec.ts',
  'docs/operations.md': 'test/operations.e2e-spec.ts',
};
