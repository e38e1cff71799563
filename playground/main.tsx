import 'graphiql/setup-workers/vite'
import 'graphiql/style.css'
import './playground.css'
import { createRoot } from 'react-dom/client'
import { AnswerLog } from './answer-log.ts'
import { fetchPageConfig } from './page-config.ts'
import { Playground } from './playground.tsx'
import { fetchExample, startingTabs } from './starting-tabs.ts'
import { createStetFetcher } from './stet-fetcher.ts'

const container = document.getElementById('playground')
if (container === null) throw new Error('index.html has no #playground')

const [config, example] = await Promise.all([fetchPageConfig(), fetchExample()])
const log = new AnswerLog()
createRoot(container).render(
  <Playground
    fetcher={createStetFetcher({ log, demoToken: config.demoToken })}
    log={log}
    tabs={startingTabs(example)}
    config={config}
  />,
)
