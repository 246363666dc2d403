/** A genre of the simulated world, and the words that tell it. */
export interface GenreWords {
  readonly name: string;
  /** What titles say of things. */
  readonly adjectives: readonly string[];
  /** What titles are about. */
  readonly nouns: readonly string[];
  /** What reviewers speak of. */
  readonly aspects: readonly string[];
}

/** The genres, the most common first. */
export const genres: readonly GenreWords[] = [
  {
    name: 'Drama',
    adjectives: ['Quiet', 'Broken', 'Distant', 'Long', 'Unspoken', 'Last', 'Pale'],
    nouns: ['Letters', 'Winter', 'House', 'Daughters', 'Promise', 'Orchard', 'Harbour'],
    aspects: ['the slow pace', 'how true the family felt', 'the silence between them'],
  },
  {
    name: 'Comedy',
    adjectives: ['Accidental', 'Perfect', 'Clumsy', 'Borrowed', 'Merry', 'Terrible', 'Second-Best'],
    nouns: ['Wedding', 'Neighbours', 'Holiday', 'Butler', 'Dentists', 'Uncle', 'Landlord'],
    aspects: ['the jokes', 'the timing of the cast', 'the silly ending'],
  },
  {
    name: 'Thriller',
    adjectives: ['Silent', 'Final', 'Cold', 'Hidden', 'Double', 'Wanted', 'Blind'],
    nouns: ['Witness', 'Signal', 'Alibi', 'Courier', 'Hostage', 'Deadline', 'Informer'],
    aspects: ['the tension', 'the twist near the end', 'the cat-and-mouse game'],
  },
  {
    name: 'Romance',
    adjectives: ['Tender', 'Secret', 'Summer', 'Foolish', 'Golden', 'Midnight', 'Faithful'],
    nouns: ['Hearts', 'Kiss', 'Garden', 'Waltz', 'Paris', 'Roses', 'Stranger'],
    aspects: ['the chemistry of the two', 'the love letters', 'the happy ending'],
  },
  {
    name: 'Action',
    adjectives: ['Iron', 'Deadly', 'Burning', 'Rogue', 'Maximum', 'Thunder', 'Armed'],
    nouns: ['Strike', 'Squad', 'Pursuit', 'Vengeance', 'Convoy', 'Fist', 'Commando'],
    aspects: ['the chases', 'the stunts', 'the fight on the bridge'],
  },
  {
    name: 'Science Fiction',
    adjectives: ['Orbital', 'Synthetic', 'Lunar', 'Parallel', 'Stellar', 'Quantum', 'Frozen'],
    nouns: ['Colony', 'Machines', 'Horizon', 'Paradox', 'Station', 'Androids', 'Exodus'],
    aspects: ['the ideas', 'the world they built', 'the design of the ships'],
  },
  {
    name: 'Horror',
    adjectives: ['Crawling', 'Rotten', 'Haunted', 'Screaming', 'Hollow', 'Cursed', 'Nameless'],
    nouns: ['Cellar', 'Doll', 'Asylum', 'Graves', 'Whispers', 'Flesh', 'Attic'],
    aspects: ['the dread', 'the jump scares', 'the thing in the dark'],
  },
  {
    name: 'Documentary',
    adjectives: ['True', 'Inside', 'Forgotten', 'Living', 'Ordinary', 'Vanishing', 'Open'],
    nouns: ['Archive', 'Rivers', 'Workers', 'Evidence', 'Glaciers', 'Testimony', 'Markets'],
    aspects: ['the interviews', 'the research', 'the old footage'],
  },
  {
    name: 'Fantasy',
    adjectives: ['Enchanted', 'Crowned', 'Ancient', 'Silver', 'Elven', 'Shattered', 'Winged'],
    nouns: ['Dragon', 'Throne', 'Sorcerer', 'Kingdom', 'Prophecy', 'Sword', 'Forest'],
    aspects: ['the magic', 'the maps and the legends', 'the dragon'],
  },
  {
    name: 'Animation',
    adjectives: ['Little', 'Bouncing', 'Painted', 'Curious', 'Sleepy', 'Flying', 'Brave'],
    nouns: ['Penguin', 'Toymaker', 'Balloons', 'Hedgehog', 'Kitten', 'Puppets', 'Snowman'],
    aspects: ['the colours', 'the songs', 'how the children laughed'],
  },
  {
    name: 'Western',
    adjectives: ['Dusty', 'Lonesome', 'Wild', 'Hanging', 'Red', 'Bitter', 'Outlaw'],
    nouns: ['Canyon', 'Sheriff', 'Rider', 'Saloon', 'Cattle', 'Frontier', 'Gunman'],
    aspects: ['the landscapes', 'the duel', 'the dusty silence'],
  },
  {
    name: 'Musical',
    adjectives: ['Singing', 'Dancing', 'Broadway', 'Dazzling', 'Swinging', 'Velvet', 'Grand'],
    nouns: ['Chorus', 'Parade', 'Ballroom', 'Serenade', 'Spotlight', 'Orchestra', 'Encore'],
    aspects: ['the numbers', 'the choreography', 'the song of the second act'],
  },
];

/** How a review of each rating, 1 to 5, begins, and what its headline is. */
export const verdicts: readonly { readonly summary: readonly string[]; readonly text: readonly string[] }[] = [
  { summary: ['Awful', 'One star'], text: ['Could not bear', 'Gave up because of', 'Nothing saves'] },
  { summary: ['Disappointing', 'Not for me'], text: ['Did not care for', 'Expected more of', 'Was bored by'] },
  { summary: ['It was fine', 'So-so'], text: ['Did not mind', 'Was neither warm nor cold about', 'Half enjoyed'] },
  { summary: ['Good', 'Worth it'], text: ['Enjoyed', 'Was pleased with', 'Liked'] },
  { summary: ['Wonderful', 'Five stars'], text: ['Loved', 'Could not get enough of', 'Will come back for'] },
];
