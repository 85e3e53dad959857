// The script of the application `show`, in TypeScript: its viewers cheer, and everybody is told how many did.
let cheers = 0;

export default defineApp({
  methods: {
    doSomething(client, ...args: readonly unknown[]) {
      console.log('doSomething is called', client.transport, args);
      return { done: true, args };
    },
    cheer(): number {
      onair.broadcast('cheers', ++cheers);
      return cheers;
    },
  },
});
