import { parentPort } from 'node:worker_threads'
import { renderMarkdown } from './render-markdown.ts'

// What runs in a RenderingThread: says once that it is ready, then answers each text with its Rendering.
parentPort?.on('message', (text: string) => parentPort?.postMessage(renderMarkdown(text)))
parentPort?.postMessage('ready')
