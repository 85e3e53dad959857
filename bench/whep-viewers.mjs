// N viewers over WebRTC in one process: by WHEP, or by the HTTP interface of Janus' streaming plugin. Prints what came.
//
//   node whep-viewers.mjs whep http://127.0.0.1:8080/live/bench/whep 40 10
//   node whep-viewers.mjs janus http://127.0.0.1:8088/janus 40 10
//
// The last numbers are viewers and seconds. It prints `ready` once all are sent packets, and counts from then on.
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const library = createRequire(new URL('../packages/server/package.json', import.meta.url))(
  'node-datachannel',
);
const [kind, address, count, seconds] = process.argv.slice(2);
const PAYLOAD_TYPE = 102;

function connection(number) {
  return new library.PeerConnection(`viewer-${number}`, { iceServers: [], disableAutoNegotiation: true });
}

/** The description with all candidates. */
function described(peer, type) {
  return new Promise((resolve) => {
    peer.onGatheringStateChange((state) => {
      if (state === 'complete') resolve(peer.localDescription().sdp);
    });
    peer.setLocalDescription(type);
  });
}

function counting(viewer, track) {
  viewer.track = track;
  track.onMessage((packet) => {
    const type = packet[1] & 0x7f;
    if (type >= 64 && type < 96) return; // RTCP, RFC 5761 §4
    viewer.packets++;
    viewer.bytes += packet.length;
  });
}

async function byWhep(viewer) {
  const video = new library.Video('0', 'RecvOnly');
  video.addH264Codec(PAYLOAD_TYPE);
  counting(viewer, viewer.peer.addTrack(video));
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/sdp' },
    body: await described(viewer.peer, 'offer'),
  });
  const answer = await response.text();
  if (response.status !== 201) throw new Error(`${response.status} ${answer}`);
  viewer.peer.setRemoteDescription(answer, 'answer');
}

async function ask(path, body) {
  const transaction = randomUUID();
  const init = body && { method: 'POST', body: JSON.stringify({ ...body, transaction }) };
  const answer = await (await fetch(`${address}${path}`, init)).json();
  if (answer.janus === 'error') throw new Error(JSON.stringify(answer.error));
  return answer;
}

async function byJanus(viewer) {
  const session = `/${(await ask('', { janus: 'create' })).data.id}`;
  const handle = `${session}/${(await ask(session, { janus: 'attach', plugin: 'janus.plugin.streaming' })).data.id}`;
  await ask(handle, { janus: 'message', body: { request: 'watch', id: 1 } });
  let offer;
  while (offer === undefined) offer = (await ask(`${session}?maxev=1`)).jsep?.sdp;
  viewer.peer.onTrack((track) => counting(viewer, track));
  viewer.peer.setRemoteDescription(offer, 'offer');
  const sdp = await described(viewer.peer, 'answer');
  await ask(handle, { janus: 'message', body: { request: 'start' }, jsep: { type: 'answer', sdp } });
  // A session that is not asked for its events is ended.
  viewer.poll = (async () => {
    while (!viewer.over) await ask(`${session}?maxev=10`).catch(() => sleep(100));
  })();
}

const viewers = [];
for (let number = 0; number < Number(count); number++) {
  const viewer = { peer: connection(number), packets: 0, bytes: 0 };
  viewers.push(viewer);
  await (kind === 'janus' ? byJanus(viewer) : byWhep(viewer));
}
const began = performance.now();
while (viewers.some(({ packets }) => packets < 10)) {
  if (performance.now() - began > 30_000) {
    console.error(`${viewers.filter(({ packets }) => packets < 10).length} viewers get nothing`);
    process.exit(1);
  }
  await sleep(100);
}
await sleep(1_000);
const before = viewers.map(({ packets, bytes }) => ({ packets, bytes }));
const cpuBefore = process.cpuUsage();
const from = performance.now();
console.log('ready');
await sleep(Number(seconds) * 1000);
const took = (performance.now() - from) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
const got = viewers.map(({ packets }, i) => packets - before[i].packets);
const sum = (list) => list.reduce((total, one) => total + one, 0);
console.log(
  JSON.stringify({
    viewers: viewers.length,
    seconds: took,
    packets: sum(got),
    fewest: Math.min(...got),
    most: Math.max(...got),
    bytes: sum(viewers.map(({ bytes }, i) => bytes - before[i].bytes)),
    load: (user + system) / 1e6 / took,
  }),
);
process.exit(0);
