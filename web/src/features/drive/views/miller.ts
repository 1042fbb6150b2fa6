// What the view of columns needs of the column with the selection.
export interface Active {
  element: HTMLElement;
  reveal: (id: string) => void;
}
