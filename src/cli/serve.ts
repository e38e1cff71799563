import { Command } from 'commander'
import { readConfig } from '../app/config.ts'
import type { Node } from '../app/start-node.ts'
import { runUntilStopped } from './run-until-stopped.ts'

interface ServeOptions {
  readonly sample?: boolean
  readonly json?: boolean
  readonly trustedDocuments?: string
}

export const serveCommand = new Command('serve')
  .description('migrate, then serve until SIGTERM or Ctrl-C')
  .option('--sample', 'fill an empty database with the sample content first')
  .option('--json', 'say where it serves as one line of JSON')
  .option('--trusted-documents <manifest>', 'TRUSTED_DOCUMENTS: documents that may be sent by their ids')
  .action(async ({ sample, json, trustedDocuments }: ServeOptions) => {
    const config = readConfig(
      trustedDocuments === undefined ? process.env : { ...process.env, TRUSTED_DOCUMENTS: trustedDocuments },
    )
    // Otherwise graphql-js checks every type that it meets, time and again.
    process.env.NODE_ENV ??= 'production'
    await runUntilStopped(config, {
      start: async (logger) => {
        // Imported here, so that no other command waits until a whole server is loaded.
        const { startNode } = await import('../app/start-node.ts')
        return startNode({ config, logger, sample: sample ?? false })
      },
      onStarted: (node) =>
        console.log(json ? JSON.stringify({ url: node.url, where: node.where, pid: process.pid }) : welcome(node)),
    })
  })

function welcome({ url, metricsUrl, hasPlayground, where, demoTokens }: Node): string {
  const lines = [
    '',
    `  Stet serves ${url}/graphql from ${where}`,
    ...(hasPlayground ? [`  Explore:    ${url}/graphiql`] : []),
    `  Health:     ${url}/readyz${metricsUrl === undefined ? '' : `    Metrics: ${metricsUrl}`}`,
  ]
  if (demoTokens) {
    lines.push(
      '',
      '  Demo mode, on loopback only: GraphiQL is signed in as admin. Elsewhere send one of',
      `  Authorization: Bearer ${demoTokens.admin}  (admin)`,
    )
    if (demoTokens.author) lines.push(`  Authorization: Bearer ${demoTokens.author}  (author)`)
  }
  return [...lines, '', '  Ctrl-C stops it.', ''].join('\n')
}
