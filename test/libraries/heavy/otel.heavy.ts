import { FastifyOtelInstrumentation } from '@fastify/otel'
import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { itIsTheSame, served } from '../support/compare.js'
import { declareRoutes, REQUESTS } from '../support/routes.js'

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())

itIsTheSame(
  '@fastify/otel',
  served(
    async (app, note) => {
      const exporter = new InMemorySpanExporter()
      const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
      const instrumentation = new FastifyOtelInstrumentation({ registerOnInitialization: false })
      instrumentation.setTracerProvider(tracerProvider)
      await app.register(instrumentation.plugin())
      declareRoutes(app, note)
      app.addHook('onClose', async () => {
        for (const { name, attributes, status } of exporter.getFinishedSpans()) {
          note(`span ${name} ${attributes['http.response.status_code']} ${status.code}`)
        }
      })
    },
    REQUESTS,
    {
      // Names hold the plugins that the instance has.
      normalise: [[/ -> fastify-audit-log/g, '']],
    },
  ),
)
