// The parts of the drag and drop library that are used, as one piece to be fetched when the first list stands.
export { draggable, dropTargetForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter';
export { combine } from '@atlaskit/pragmatic-drag-and-drop/combine';
export { setCustomNativeDragPreview } from '@atlaskit/pragmatic-drag-and-drop/element/set-custom-native-drag-preview';
export { pointerOutsideOfPreview } from '@atlaskit/pragmatic-drag-and-drop/element/pointer-outside-of-preview';
export { dropTargetForExternal } from '@atlaskit/pragmatic-drag-and-drop/external/adapter';
export { containsFiles } from '@atlaskit/pragmatic-drag-and-drop/external/file';
