// The script of the application `live`: start the server with ONAIR__apps__folder=examples/apps
export default defineApp({
  methods: {
    doSomething(client, ...args) {
      console.log('doSomething is called', client.transport, args);
      return { done: true, args };
    },
    // An operator's button: every viewer of the stream is told on the same picture, whatever the transport.
    cmIn(_client, stream, spot) {
      onair.event(stream, { name: 'cm-in', after: 3, data: { spot } });
    },
  },
  onConnect(client) {
    console.log('connected', client.transport, client.address);
  },
});
