/**
 * Records the trace of each request: the span that called (the header `traceparent`) and the span of this server (the option
 * `trace`), so that a record leads to its trace, and a trace to its record.
 */
import assert from 'node:assert/strict'
import { context, isSpanContextValid, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import Fastify from 'fastify'
import audit, { memorySink, type TraceFunction } from 'fastify-audit-log'

// In production `NodeSDK` of @opentelemetry/sdk-node sets these up.
const exporter = new InMemorySpanExporter()
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(new W3CTraceContextPropagator())

/** The active span, as the header `traceparent` would name it. It is all that the audit needs of OpenTelemetry. */
const activeTrace: TraceFunction = () => {
  const span = trace.getActiveSpan()?.spanContext()
  if (span === undefined || !isSpanContextValid(span)) return undefined
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`
}

const sink = memorySink()
const app = Fastify()

// Opens the span before the audit receives the request. @opentelemetry/instrumentation-http does it by itself.
app.addHook('onRequest', (request, reply, done) => {
  const parent = propagation.extract(ROOT_CONTEXT, request.headers)
  const span = trace.getTracer('example').startSpan(`${request.method} ${request.routeOptions.url}`, {}, parent)
  reply.raw.once('close', () => span.end())
  context.with(trace.setSpan(parent, span), done)
})

await app.register(audit, { sinks: [{ name: 'memory', sink }], trace: activeTrace })

app.post<{ Params: { id: string } }>('/invoices/:id/refund', async (request) => {
  // The event has the trace of its request.
  await request.audit.record({ action: 'mail.send', targets: { type: 'mail', id: request.params.id } })
  return {}
})

// The application ends here. The rest is a client.

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const address = await app.listen({ port: 0, host: '127.0.0.1' })
await fetch(`${address}/invoices/42/refund`, { method: 'POST', headers: { traceparent } })
await app.close()

const [received] = sink.events
const [event] = sink.actions
const [span] = exporter.getFinishedSpans()
assert(received !== undefined && event !== undefined && span !== undefined)
const { request_meta } = received.payload.request
const { traceId, spanId } = span.spanContext()
assert.equal(traceId, '4bf92f3577b34da6a3ce929d0e0e4736')
assert.equal(request_meta.traceparent, traceparent)
assert.equal(request_meta.trace, `00-${traceId}-${spanId}-01`)
assert.equal(event.payload.traceparent, request_meta.trace)
console.log(`called by the span ${request_meta.traceparent}\nserved by the span ${request_meta.trace}`)
