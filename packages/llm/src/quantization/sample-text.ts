/** A text to compare weights on where no other is given: prose, facts, instructions, a list and a dialogue. */
export const sampleText = `The harbour woke slowly that morning. Two boats had come in before dawn, and the men were already
mending nets on the wall when the baker opened his shutters. Nobody hurried. In a town of four hundred people, the news
of the day can wait until the coffee is poured.

Water boils at a lower temperature in the mountains because the air presses less on its surface. At sea level it takes
one hundred degrees Celsius; at three thousand metres about ninety are enough, which is why rice and beans need longer
there. A pot with a tight lid raises the pressure again, and with it the heat at which the water boils.

To plant a young tree, dig a hole twice as wide as its roots and no deeper than they are. Set the tree in the middle,
fill the hole with the same soil, and press it down with your foot. Water it well on the first day, and once a week
during the first summer. Do not cut the branches until the second year.

Things to bring on the trip:
1. A map of the region and a compass.
2. Warm clothes, even in July.
3. Food for three days, and a little more.
4. A torch with fresh batteries.

"Did you see the film last night?" asked Maria.
"Only the first half," said Tom. "I fell asleep when they reached the island."
"Then you missed the best part. The captain was the thief all along, and the parrot knew it from the beginning."
"I should have listened to the parrot," he said, and they both laughed.

The library lends books for four weeks. If another reader is waiting, the book has to come back after two. Those who
return a book late pay a small fee, which goes to the fund for new children's books. Last year that fund bought one
hundred and twelve of them, among them three about dinosaurs, which are never on the shelf for long.
`;
