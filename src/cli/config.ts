import { Command } from 'commander'
import { describeConfig } from '../app/config.ts'
import { print } from './command.ts'

export const configCommand = new Command('config')
  .description('print every option with its default, unit and value in force; secrets hidden')
  .option('--json', 'print as JSON')
  .action(({ json }: { readonly json?: boolean }) => {
    const rows = describeConfig()
    const width = Math.max(...rows.map(({ variable }) => variable.length))
    const text = rows.map(({ variable, value = '(not set)', default: byDefault, unit, about }) => {
      const counted = unit !== undefined && value !== '(not set)' ? ` ${unit}` : ''
      const note = byDefault === undefined || value === byDefault ? '' : `  [default ${byDefault}]`
      return `${variable.padEnd(width)}  ${value}${counted}${note}\n${' '.repeat(width)}  ${about}`
    })
    print(rows, { json, text: text.join('\n') })
  })
