import { Command } from 'commander'
import { invalidateCache } from '../../domain/admin/index.ts'
import { print } from '../command.ts'
import { withEngine } from '../with-engine.ts'

export const invalidateCommand = new Command('invalidate')
  .description('invalidate everything that depends on the tags, on every node')
  .argument('<tag...>', 'such as articles:42, articles:author_id=7, articles:title or articles')
  .option('--soft', 'let entries be served stale once more while they are refreshed')
  .option('--json', 'print the result as JSON')
  .action(async (tags: readonly string[], { soft, json }: { readonly soft?: boolean; readonly json?: boolean }) => {
    const result = await withEngine(
      ({ context, ledger }) => invalidateCache(context, ledger, tags, soft ? 'SOFT' : 'HARD'),
      'cache invalidate',
    )
    print(result, { json, text: `Invalidated ${result.tags.join(' ')} at ${result.position}` })
  })
