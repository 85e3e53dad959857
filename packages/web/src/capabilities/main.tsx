import capabilitiesTexts from 'virtual:words/en/capabilities';
import { start } from '../frame/frame.tsx';
import { addTexts } from '../words/words.ts';
import { Capabilities } from './capabilities.tsx';
import { Survey } from './survey.ts';

addTexts(capabilitiesTexts);

const survey = new Survey();
void survey.run();
start(<Capabilities survey={survey} />);
