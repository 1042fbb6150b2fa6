// What the details of an entry say of those who have access to it.
export const en = {
  access: {
    title: 'Sharing',
    onlyYou: 'Only you have access.',
    onlyMembers: 'Only the members of the space have access.',
    nobody: 'Nobody else has access.',
    sharedBy: '{name} shares it with you.',
    links: '{count} link | {count} links',
    linksHint: 'Whoever has the address gets in.',
    more: 'and {count} more | and {count} more',
    unknown: 'Who else has access shows when there is a connection.',
    above: 'by a folder above',
  },
};
