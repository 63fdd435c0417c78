import { defineConfig } from 'vitest/config'

const source = '@interstate/source'

export default defineConfig({
  resolve: { conditions: [source] },
  ssr: { resolve: { conditions: [source], externalConditions: [source] } },
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'packages/*/src/**/*.test.ts',
      'examples/*/test/**/*.test.ts',
      'test/**/*.test.ts',
      'docs/test/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/dist/**', '**/fixtures/**'],
    typecheck: {
      enabled: true,
      include: ['packages/*/test/**/*.test-d.ts', 'examples/*/test/**/*.test-d.ts', 'test/**/*.test-d.ts'],
      // A type error elsewhere is the business of `npm run types`.
      ignoreSourceErrors: true,
    },
    // Crash tests kill processes and native handles stay open: a worker is a process of its own.
    pool: 'forks',
    // Much of the time a file waits for processes and servers of its own: as many at once as there are cores.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
  },
})
