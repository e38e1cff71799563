/** Compiled by swc as ES modules; types are checked apart, by `npm run check`. */
export default {
  testEnvironment: 'node',
  testSequencer: '<rootDir>/scripts/longest-first.mjs',
  globalSetup: '<rootDir>/test/harness/global-setup.ts',
  globalTeardown: '<rootDir>/test/harness/global-teardown.ts',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } },
    ],
  },
  testMatch: ['<rootDir>/src/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  testTimeout: 60_000,
  // Tests wait for servers more than they compute.
  maxWorkers: '100%',
}
