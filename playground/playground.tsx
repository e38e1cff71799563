import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import type { Fetcher } from '@graphiql/toolkit'
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql'
import { useEffect } from 'react'
import { type AnswerLog, AnswerLogContext } from './answer-log.ts'
import { CacheBar } from './cache-bar.tsx'
import { cachePlugin } from './cache-panel.tsx'
import type { PageConfig } from './page-config.ts'
import type { StartingTab } from './starting-tabs.ts'

interface PlaygroundProps {
  readonly config: PageConfig
  readonly fetcher: Fetcher
  readonly log: AnswerLog
  readonly tabs: StartingTab[]
}

const plugins: GraphiQLPlugin[] = [HISTORY_PLUGIN, cachePlugin]

/** GraphiQL with the cache panel in its side bar and the cache line below the answer. */
export function Playground({ config, fetcher, log, tabs }: PlaygroundProps) {
  return (
    <AnswerLogContext value={log}>
      <GraphiQL fetcher={fetcher} defaultTabs={tabs} plugins={plugins}>
        <GraphiQL.Logo>
          <Name config={config} />
        </GraphiQL.Logo>
        <GraphiQL.Footer>
          <CacheBar />
          <SystemTheme />
        </GraphiQL.Footer>
      </GraphiQL>
    </AnswerLogContext>
  )
}

/** The name, with the dots below it by which a proofreader marks text that should stand. */
function Name({ config: { name, version, demoToken } }: { readonly config: PageConfig }) {
  return (
    <span className="stet-name" title={`${name} ${version}`}>
      {demoToken !== undefined && (
        <span className="stet-quiet" title="Demo mode. An Authorization of your own in the Headers pane goes first.">
          signed in as admin
        </span>
      )}
      <em>{name}</em>
    </span>
  )
}

/** Makes the editors follow the system's colours. GraphiQL's other parts follow them already. */
function SystemTheme() {
  const theme = useGraphiQL((state) => state.theme)
  const { setTheme } = useGraphiQLActions()
  useEffect(() => {
    if (theme !== null) return
    const system = matchMedia('(prefers-color-scheme: dark)')
    const follow = () => setTheme(null)
    system.addEventListener('change', follow)
    return () => system.removeEventListener('change', follow)
  }, [theme, setTheme])
  return null
}
