import capabilitiesTexts from 'virtual:words/en/capabilities';
import inspectTexts from 'virtual:words/en/inspect';
import { start } from '../frame/frame.tsx';
import { addTexts } from '../words/words.ts';
import { Inspection } from './inspection.ts';
import { Inspector } from './inspector.tsx';

addTexts(inspectTexts);
addTexts(capabilitiesTexts);

start(<Inspector inspection={new Inspection()} />);
