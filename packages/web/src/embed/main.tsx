import { render } from 'preact';
import '../styles/base.css';
import { useTitle } from '../frame/frame.tsx';
import { OnPicture } from '../overlay/on-picture.tsx';
import { PlayerBox } from '../player/player-box.tsx';
import { playerView } from '../player/player-view.ts';
import { streamOfPath } from '../watch/address.ts';
import { t } from '../words/words.ts';
import './embed.css';
import { embedOptions } from './options.ts';

const stream = streamOfPath(location.pathname);
const { latency, transport, ...rest } = embedOptions(location.search);
const view = playerView(latency, transport);
const root = document.getElementById('page');

function Embed() {
  useTitle(stream?.name ?? t('missing.title'));
  if (stream === undefined) return <main class="embed-missing">{t('missing.title')}</main>;
  return (
    <main>
      <PlayerBox src={`/${stream.full}`} view={view} {...rest} />
      <OnPicture view={view} stream={stream.full} />
    </main>
  );
}

if (root !== null) render(<Embed />, root);
