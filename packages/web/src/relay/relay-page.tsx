import type { RelayTreeInfo, RelayTreeNode } from '@onair/contracts/relay';
import type { JSX } from 'preact';
import { Frame } from '../frame/frame.tsx';
import { Icon } from '../parts/icon.tsx';
import { TimePlot } from '../plot/time-plot.tsx';
import type { StreamAddress } from '../watch/address.ts';
import { bitrate, bytes, delay, number, percent } from '../words/format.ts';
import { t } from '../words/words.ts';
import './relay.css';
import { layoutTree, type PlacedNode } from './tree-layout.ts';
import type { RelayMoment, TreeView } from './watch-tree.ts';

/** Nodes that are drawn; the figures count all. */
const MAX_DRAWN = 600;
/** Rows of the table. */
const MAX_ROWS = 200;
/** Size of a cell of the drawing, in its own units. */
const CELL = { width: 28, height: 56 } as const;
const RADIUS = 9;

/** Part of its blocks that a peer got from others. */
function shareOf({ peerBytes, serverBytes }: RelayTreeNode): number {
  const all = peerBytes + serverBytes;
  return all === 0 ? 0 : peerBytes / all;
}

function kindOf(node: RelayTreeNode | undefined): string {
  if (node === undefined) return 'relay-server';
  if (node.children_uuid.length > 0) return 'relay-giver';
  return node.relayable ? 'relay-ready' : 'relay-taker';
}

function Dot({ placed }: { readonly placed: PlacedNode }): JSX.Element {
  const { node, x, y } = placed;
  const title =
    node === undefined
      ? t('relay.server')
      : `${node.uuid.slice(0, 8)} · ${delay(node.rtt)} · ${bitrate(node.uplink)} · ${percent(shareOf(node))}`;
  return (
    <circle
      class={kindOf(node)}
      cx={(x + 0.5) * CELL.width}
      cy={(y + 0.5) * CELL.height}
      r={node === undefined ? RADIUS + 4 : RADIUS}
    >
      <title>{title}</title>
    </circle>
  );
}

function Drawing({ tree }: { readonly tree: RelayTreeInfo }): JSX.Element {
  const { nodes, columns, rows } = layoutTree(tree.nodes, tree.root_uuid, MAX_DRAWN);
  const width = Math.max(columns, 6) * CELL.width;
  const label = t('relay.drawing', { count: number(tree.nodes.length), depth: number(rows - 1) });
  return (
    <div class="panel relay-drawing">
      <svg viewBox={`0 0 ${width} ${rows * CELL.height}`} role="img" aria-label={label}>
        {nodes.map(
          ({ node, x, y, from }) =>
            from !== undefined && (
              <path
                key={`to ${node?.uuid}`}
                class="relay-edge"
                d={`M${(from.x + 0.5) * CELL.width} ${(from.y + 0.5) * CELL.height}L${(x + 0.5) * CELL.width} ${(y + 0.5) * CELL.height}`}
              />
            ),
        )}
        {nodes.map((placed) => (
          <Dot key={placed.node?.uuid ?? 'server'} placed={placed} />
        ))}
      </svg>
    </div>
  );
}

function Legend(): JSX.Element {
  const kinds = ['server', 'giver', 'ready', 'taker'] as const;
  return (
    <ul class="relay-legend small muted">
      {kinds.map((kind) => (
        <li key={kind}>
          <svg viewBox="0 0 20 20" aria-hidden="true">
            <circle class={`relay-${kind}`} cx="10" cy="10" r="7" />
          </svg>
          {t(`relay.${kind}`)}
        </li>
      ))}
    </ul>
  );
}

function Figures({
  tree,
  now,
}: {
  readonly tree: RelayTreeInfo;
  readonly now: RelayMoment | undefined;
}): JSX.Element {
  const deepest = tree.nodes.reduce((most, { depth }) => Math.max(most, depth), 0);
  const share = now === undefined || now.direct === 0 ? undefined : Math.max(0, 1 - now.sent / now.direct);
  const lines: readonly (readonly [string, string])[] = [
    [t('figure.viewers'), number(tree.nodes.length)],
    [t('relay.depth'), number(deepest)],
    [t('relay.sent'), now === undefined ? '–' : bitrate(now.sent)],
    [t('relay.direct'), now === undefined ? '–' : bitrate(now.direct)],
    [t('relay.saved'), share === undefined ? '–' : percent(share)],
  ];
  return (
    <dl class="panel relay-figures num">
      {lines.map(([what, value]) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Table({ tree }: { readonly tree: RelayTreeInfo }): JSX.Element {
  const rows = [...tree.nodes].sort((a, b) => a.depth - b.depth).slice(0, MAX_ROWS);
  const short = (uuid: string): string => (uuid === tree.root_uuid ? t('relay.server') : uuid.slice(0, 8));
  return (
    <div class="panel relay-table">
      <table>
        <thead>
          <tr>
            <th scope="col">{t('relay.peer')}</th>
            <th scope="col">{t('relay.parent')}</th>
            <th scope="col">{t('relay.depth')}</th>
            <th scope="col">{t('relay.children')}</th>
            <th scope="col">{t('relay.rtt')}</th>
            <th scope="col">{t('relay.uplink')}</th>
            <th scope="col">{t('relay.fromPeers')}</th>
          </tr>
        </thead>
        <tbody class="num">
          {rows.map((node) => (
            <tr key={node.uuid}>
              <th scope="row">{short(node.uuid)}</th>
              <td>{short(node.parent_uuid)}</td>
              <td>{number(node.depth)}</td>
              <td>{`${number(node.children_uuid.length)} / ${number(node.relayable ? node.capacity : 0)}`}</td>
              <td>{delay(node.rtt)}</td>
              <td>{node.uplink === 0 ? '–' : bitrate(node.uplink)}</td>
              <td>{`${percent(shareOf(node))} · ${bytes(node.peerBytes)}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Who passes a stream on to whom, as the operator sees it, and what that saves the server. */
export function RelayPage({
  stream,
  view,
}: {
  readonly stream: StreamAddress;
  readonly view: TreeView;
}): JSX.Element {
  const tree = view.tree.value;
  const moments = view.moments.value;
  return (
    <Frame place="dashboard" title={t('relay.title')}>
      <div class="relay">
        <h1>
          {t('relay.title')} <span class="muted">{stream.full}</span>
        </h1>
        {view.closed.value && (
          <p class="notice">
            <Icon name="key" />
            <a href={`/signin?next=/relay/${stream.full}`}>{t('signin.enter')}</a>
          </p>
        )}
        {tree !== undefined && !tree.enabled && (
          <p class="notice">
            <Icon name="alert" />
            {t('relay.off')}
          </p>
        )}
        {tree !== undefined && (
          <>
            <Figures tree={tree} now={moments[moments.length - 1]} />
            {tree.nodes.length === 0 ? <p class="muted">{t('relay.nobody')}</p> : <Drawing tree={tree} />}
            <Legend />
            <TimePlot
              label={t('relay.plot')}
              times={moments.map(({ time }) => time)}
              lines={[
                {
                  name: t('relay.direct'),
                  values: moments.map(({ direct }) => direct),
                  color: '--series-4',
                  dash: [6, 4],
                },
                { name: t('relay.sent'), values: moments.map(({ sent }) => sent), color: '--series-1' },
              ]}
              write={bitrate}
              least={1_000_000}
              height={200}
            />
            {tree.nodes.length > 0 && <Table tree={tree} />}
          </>
        )}
      </div>
    </Frame>
  );
}
