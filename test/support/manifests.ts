import path from 'node:path';
import { readdirSync, readFileSync } from 'node:fs';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Namespace, Secret, Service } from 'kubernetes-models/v1';
import ts from 'typescript';
import { parse } from 'yaml';
import { ROOT } from './process.js';

const FOLDER = path.join(ROOT, 'deploy/kubernetes');

/** Any object of Kubernetes. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: any;
  readonly spec?: any;
  readonly [more: string]: any;
}

/** What knows the schema of a kind. It lets through what the schema does not name. */
const MODELS: Record<string, new (data: any) => { validate(): void }> = {
  ...{ Deployment, HorizontalPodAutoscaler, Namespace, NetworkPolicy },
  ...{ PodDisruptionBudget, Secret, Service, ServiceMonitor },
};

/** The names of the files that are there. */
export const manifestFiles = (): string[] => readdirSync(FOLDER).sort();

export const readManifest = (file: string): Manifest => parse(readFileSync(path.join(FOLDER, file), 'utf8'), { strict: true });

/**
 * What is wrong with manifests, by the schemas of Kubernetes and of the Prometheus operator: formats and missing fields
 * by their validators, unknown and misspelt ones by their types, which TypeScript holds against literals.
 */
export function faultsOf(manifests: readonly Manifest[]): string[] {
  return [...manifests.flatMap(schemaFaults), ...typeFaults(manifests)];
}

function schemaFaults(manifest: Manifest): string[] {
  const Model = MODELS[manifest.kind];
  if (Model === undefined) return [`no schema for ${manifest.kind}`];
  try {
    new Model(manifest).validate();
    return [];
  } catch (error) {
    return [`${manifest.kind}: ${String(error)}`];
  }
}

function typeFaults(manifests: readonly Manifest[]): string[] {
  const source = manifests.map(({ apiVersion, kind, ...rest }, index) => {
    const packageName = apiVersion.startsWith('monitoring.') ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models';
    const literal = JSON.stringify({ apiVersion, kind, ...rest });
    return `import type { I${kind} as T${index} } from '${packageName}/${apiVersion}';\nexport const m${index}: T${index} = ${literal};`;
  });
  return typeCheck(source.join('\n'));
}

/** The complaints of the compiler about a file of the tests that exists in memory only. */
function typeCheck(source: string): string[] {
  const file = path.join(ROOT, 'test/support/manifests.checked.ts');
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: [] },
    ...{ module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023 },
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (name) => (name === file ? source : readFile(name));
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2023) : getSourceFile(name, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
