export { figuresSource, type HubSources, sessionService, streamService } from './hub-view.ts';
export * from './ports.ts';
export { apiDocument, registerApi } from './register.ts';
