/** The arrows of the house point down only: openapi, dashboard, docs, udc, health → tasks → registry → auth → outbound → inbound → tracing, metrics → common, config. */
const ORDER = [
  'config',
  'common',
  'metrics',
  'tracing',
  'inbound',
  'outbound',
  'auth',
  'registry',
  'tasks',
  'health',
  'udc',
  'docs',
  'dashboard',
  'openapi',
];

const noArrowUp = ORDER.flatMap((room, index) => {
  const above = ORDER.slice(index + 1);
  return above.length === 0
    ? []
    : [
        {
          name: `no-arrow-up-from-${room}`,
          severity: 'error',
          from: { path: `^src/${room}/` },
          to: { path: `^src/(${above.join('|')}|storage)/` },
        },
      ];
});

module.exports = {
  forbidden: [
    ...noArrowUp,
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'only-outbound-reaches-out',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/outbound/' },
      to: { path: '(^|/)node_modules/(axios|undici|@nestjs/axios)/' },
    },
    {
      name: 'only-outbound-opens-connections',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(outbound|inbound)/|\\.spec\\.ts$' },
      to: { path: '^(node:)?(https?|http2|net|tls|dgram|dns)$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-storage-knows-databases',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/storage/' },
      to: { path: '^node:sqlite$|(^|/)node_modules/pg(-boss)?/' },
    },
    {
      name: 'only-tracing-knows-opentelemetry',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/tracing/' },
      to: { path: '(^|/)node_modules/@opentelemetry/' },
    },
    {
      name: 'the-client-stands-alone',
      severity: 'error',
      from: { path: '^src/client/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: '^src/client/' },
    },
    {
      name: 'the-command-line-knows-the-client-only',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: '^src/', pathNot: '^src/(cli|client)/' },
    },
    {
      name: 'the-house-knows-neither-client-nor-command-line',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli|client)/|^src/cli\\.ts$' },
      to: { path: '^src/(cli|client)/|^src/cli\\.ts$' },
    },
    {
      name: 'the-page-stands-alone',
      severity: 'error',
      from: { path: '^src/dashboard/page/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: '^src/dashboard/page/' },
    },
    {
      name: 'nothing-imports-the-page',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/dashboard/page/' },
      to: { path: '^src/dashboard/page/' },
    },
    {
      name: 'nothing-imports-the-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^test/|\\.spec\\.ts$' },
    },
    {
      name: 'no-development-dependency',
      severity: 'error',
      // openapi.ts writes a file of the repository; it never runs where the service does.
      from: { path: '^src/', pathNot: '^src/openapi[./]|\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
