import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { needsServers } from './scripts/needs-servers.mjs'

/** Compiled by swc as ES modules; types are checked apart, by `npm run check`. */
const project = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } },
    ],
  },
}

const suites = ['src', 'test'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`),
)
const pathsOf = (chosen) => chosen.map((path) => `<rootDir>/${path}`)

export default {
  projects: [
    {
      ...project,
      displayName: 'unit',
      testMatch: pathsOf(suites.filter((suite) => !needsServers(suite))),
    },
    {
      ...project,
      displayName: 'servers',
      testMatch: pathsOf(suites.filter(needsServers)),
      globalSetup: '<rootDir>/test/harness/global-setup.ts',
      globalTeardown: '<rootDir>/test/harness/global-teardown.ts',
    },
  ],
  testSequencer: '<rootDir>/scripts/longest-first.mjs',
  testTimeout: 60_000,
  // Tests wait for servers more than they compute.
  maxWorkers: availableParallelism() + 1,
}
