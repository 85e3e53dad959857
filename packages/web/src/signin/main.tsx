import { start } from '../frame/frame.tsx';
import { SignIn } from './sign-in.tsx';
import { pageAfter, tokenOfFragment } from './token.ts';

const token = tokenOfFragment(location.hash);
// The token must not stay in the address bar, the history or a screenshot, whatever becomes of it.
if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
// Who comes by the original's address wants to cast.
const otherwise = location.pathname.startsWith('/login') ? '/live' : '/dashboard';
start(<SignIn token={token} next={pageAfter(location.search, otherwise)} />);
