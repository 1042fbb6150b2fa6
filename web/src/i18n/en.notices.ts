// English texts of the bell that stand outside its panel.
export const notices = {
  notices: {
    title: 'Notifications',
    openNew: 'Notifications, {count} new | Notifications, {count} new',
    muted: 'No more notifications from “{name}”',
    following: 'You are told of changes in “{name}”',
    follow: 'Notify me of changes',
  },
};
