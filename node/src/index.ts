/** The headers that authorise a request to a fleet telematics provider. */
export { Challenge } from './challenge';
export { Client } from './client';
export type { ClientOptions, HeadersOptions, TokenOptions, WaitOptions } from './client';
export type { FetchInit } from './fetch';
export { FleetAuthError } from './fleetauth-error';
export * from './gen/errors';
export * from './gen/providers';
export type { AuthHeaders } from './headers';
export type { Account, Identity } from './identity';
export { dependencies, hasFeature, version } from './library';
export { Provider } from './provider';
export { ManualClock, Runtime } from './runtime';
export type { RuntimeOptions } from './runtime';
export { Token } from './token';
export { TransportError } from './transport';
export type { HttpAnswer, HttpCall, Transport, TransportFailure } from './transport';
export { fetchTransport, nodeTransport } from './transports';
export type { FetchTransportOptions, NodeTransportOptions } from './transports';
