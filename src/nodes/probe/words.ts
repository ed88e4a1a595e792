/** What everyday requests speak of. Combined at random, they make more requests than anybody could keep the answers of. */

export const TOPICS = [
  'bookbinding', 'tidal mills', 'seed saving', 'letterpress printing', 'mountain rescue', 'radio astronomy', 'sourdough rye bread',
  'dry stone walls', 'bird ringing', 'harbour pilots', 'medieval music', 'ice skating', 'map reading', 'bicycle touring', 'organ building',
  'crossword puzzles', 'compound interest', 'heat pumps', 'unit tests', 'database indexes', 'job interviews', 'lease contracts', 'back pain',
  'school timetables', 'container shipping', 'solar panels', 'password managers', 'houseplants', 'sleep', 'onboarding of new colleagues',
  'customer surveys', 'rate limits', 'wedding speeches', 'used cars', 'city trams', 'language learning', 'coffee roasting', 'tax returns',
  'home insulation', 'regular expressions',
] as const; // prettier-ignore

export const PEOPLE = [
  'Amina',
  'Bruno',
  'Chloe',
  'Dmitri',
  'Elif',
  'Farah',
  'Goran',
  'Hana',
  'Ivo',
  'Jun',
  'Katya',
  'Luis',
  'Mirja',
  'Noor',
  'Olga',
  'Pavel',
  'Rosa',
  'Sami',
  'Tove',
  'Yusuf',
] as const;

export const CITIES = [
  'Lisbon',
  'Graz',
  'Osaka',
  'Bergen',
  'Porto',
  'Leeds',
  'Tallinn',
  'Valencia',
  'Lyon',
  'Cork',
  'Krakow',
  'Turin',
  'Quito',
  'Hobart',
  'Aarhus',
  'Ghent',
  'Izmir',
  'Halifax',
  'Pune',
  'Dakar',
] as const;

export const GOODS = [
  'lamp',
  'rain jacket',
  'office chair',
  'kettle',
  'bicycle pump',
  'notebook',
  'desk fan',
  'suitcase',
  'tent',
  'headset',
  'blender',
  'wall clock',
  'water filter',
  'keyboard',
  'garden hose',
  'toolbox',
] as const;

export const AUDIENCES = [
  'a ten-year-old',
  'a new colleague',
  'my manager',
  'a customer who is in a hurry',
  'somebody who has never heard of it',
  'an engineer',
  'a local newspaper',
  'my parents',
] as const;

export const TONES = ['friendly', 'matter-of-fact', 'formal', 'cheerful', 'concise', 'warm but professional', 'dry'] as const;

export const FORMATS = [
  'in three bullet points',
  'in one short paragraph',
  'in two sentences',
  'as a numbered list',
  'in plain language',
  'in at most 60 words',
  'with one example',
  'step by step',
] as const;

export const LANGUAGES = ['French', 'Spanish', 'German', 'Portuguese', 'Italian', 'Dutch', 'Polish'] as const;

export const ROLES = [
  'You are a helpful assistant.',
  'You are a concise assistant. Answer in plain text.',
  'You help the staff of a small shop with their mail.',
  'You are a careful editor.',
  'You are a senior software engineer who reviews code.',
  'You are a patient tutor.',
  'Answer as briefly as you can without leaving out what matters.',
  'You write for people who read on their phones.',
] as const;

export const FAULTS = [
  'arrived broken',
  'is the wrong colour',
  'has not come yet',
  'stopped working after a week',
  'is smaller than it looked',
  'is missing a part',
] as const;

export const REPLIES = [
  'That depends on how much time you have.',
  'Yes, and it is easier than it sounds.',
  'I would start small and see how it goes.',
  'There are two schools of thought on that.',
  'Mostly practice; the theory comes later.',
] as const;

export const FOLLOW_UPS = [
  'Can you give an example?',
  'And what would you do first?',
  'Say that again more simply, please.',
  'What could go wrong?',
  'Why is that?',
  'Could you turn that into a short checklist?',
] as const;
