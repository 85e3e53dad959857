import { start } from '../frame/frame.tsx';
import { Capabilities } from './capabilities.tsx';
import { Survey } from './survey.ts';

const survey = new Survey();
void survey.run();
start(<Capabilities survey={survey} />);
