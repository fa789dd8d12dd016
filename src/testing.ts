export { type MemorySink, memorySink } from './sinks/memory.js'
export { type FaultySink, faultySink } from './testing/faulty-sink.js'
export { type SinkUnderTest, type TestFunctions, testSink } from './testing/test-sink.js'
